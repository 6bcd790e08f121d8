"""Media files for `probe publish`, made by FFmpeg."""

import pathlib
import subprocess

FFMPEG = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-y", "-f", "lavfi"]


def picture(path: pathlib.Path, size: str, seconds: int, rate: str, keyframe: int = 1) -> pathlib.Path:
    """A moving VP8 picture, 30 fps, a keyframe every `keyframe` seconds, of about `rate` bits per second."""
    subprocess.run(
        [*FFMPEG, "-i", f"testsrc2=size={size}:rate=30", "-t", str(seconds), "-c:v", "libvpx", "-deadline", "realtime",
         "-cpu-used", "8", "-b:v", rate, "-g", str(30 * keyframe), path], check=True)
    return path


def tone(path: pathlib.Path, rate: str) -> pathlib.Path:
    """Ten seconds of a tone, in Opus."""
    subprocess.run(
        [*FFMPEG, "-i", "sine=440:sample_rate=48000", "-t", "10", "-c:a", "libopus", "-b:a", rate, "-ac", "2", path],
        check=True)
    return path
