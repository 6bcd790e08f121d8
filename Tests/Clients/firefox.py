"""Headless stock Firefox over WebDriver BiDi: no driver program needed."""

import asyncio
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading

import websockets

PREFERENCES = {
    "media.navigator.streams.fake": True, "media.navigator.permission.disabled": True, "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0, "media.gmp-manager.updateEnabled": False, "app.update.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False, "toolkit.telemetry.enabled": False,
    "browser.safebrowsing.malware.enabled": False, "browser.safebrowsing.phishing.enabled": False,
    "network.captive-portal-service.enabled": False, "network.connectivity-service.enabled": False,
    "extensions.update.enabled": False, "services.settings.server": "data:,", "browser.shell.checkDefaultBrowser": False,
    "remote.active-protocols": 1, "network.proxy.no_proxies_on": "localhost, 127.0.0.1",
}


class Firefox:
    """`with Firefox() as browser: browser.run(url, javascript_function)`."""

    def __enter__(self):
        self.profile = tempfile.mkdtemp()
        with open(self.profile + "/user.js", "w") as f:
            f.writelines(f"user_pref({json.dumps(k)}, {json.dumps(v)});\n" for k, v in PREFERENCES.items())
        environment = dict(os.environ, MOZ_HEADLESS="1", HOME=self.profile, MOZ_DISABLE_CONTENT_SANDBOX="1")
        self.process = subprocess.Popen(
            ["firefox-esr", "--headless", "--no-remote", "--profile", self.profile, "--remote-debugging-port", "0",
             "about:blank"], env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        for line in self.process.stderr:
            if found := re.search(r"WebDriver BiDi listening on (ws://\S+)", line):
                self.url = found.group(1)
                break
        else:
            raise AssertionError("Firefox did not start")
        threading.Thread(target=self.process.stderr.read, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)

    def run(self, page: str, function: str) -> dict:
        """Opens `page` and returns what the async `function`, which returns JSON text, resolves to."""
        # A thread of its own: the one of the test may have Playwright's event loop.
        with concurrent.futures.ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, self._run(page, function)).result()

    async def _run(self, page, function):
        async with websockets.connect(self.url + "/session", max_size=None) as socket:
            number = 0

            async def command(method, **parameters):
                nonlocal number
                number += 1
                await socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
                while True:
                    reply = json.loads(await socket.recv())
                    if reply.get("id") == number:
                        assert reply["type"] != "error", reply
                        return reply["result"]

            await command("session.new", capabilities={})
            context = (await command("browsingContext.getTree"))["contexts"][0]["context"]
            await command("browsingContext.navigate", context=context, url=page, wait="complete")
            result = await command(
                "script.callFunction", functionDeclaration=function, arguments=[], awaitPromise=True,
                target={"context": context}, userActivation=True)
            assert result["type"] != "exception", result["exceptionDetails"]["text"]
            return json.loads(result["result"]["value"])
