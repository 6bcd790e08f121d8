"""What an object may have: built-in kinds by Kubernetes' own schemas, those of Gateway API, STUNner, cert-manager and Flux by tables
written after their published definitions: fields that are not here are refused, as they would be lost in a cluster."""

import jsonschema
import kubernetes_validate

VERSION = "1.37"
DURATION = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"
LABEL = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"

TEXT, FLAG = {"type": "string", "minLength": 1}, {"type": "boolean"}
TIME = {"type": "string", "pattern": DURATION}
TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}


def fields(_required: str = "", /, **properties) -> dict:
    return {"type": "object", "additionalProperties": False, "properties": properties, "required": _required.split()}


def several(item: dict, least: int = 1, most: int = 64) -> dict:
    return {"type": "array", "items": item, "minItems": least, "maxItems": most}


def one_of(*values: str) -> dict:
    return {"enum": list(values)}


def number(low: int, high: int) -> dict:
    return {"type": "integer", "minimum": low, "maximum": high}


PORT = number(1, 65535)
KEY_OF_SECRET = fields("name", name=TEXT, key=TEXT)
SOURCE = fields(
    "kind name", apiVersion=TEXT, kind=one_of("GitRepository", "OCIRepository", "Bucket", "HelmRepository"), name=TEXT,
    namespace=TEXT)
SELECTOR = fields(matchLabels=TEXTS, matchExpressions=several({"type": "object"}))

SPECS = {
    ("gateway.networking.k8s.io/v1", "GatewayClass"): fields(
        "controllerName", controllerName={"type": "string", "pattern": r"^[a-z0-9.-]+\/[A-Za-z0-9\/\-._~%!$&'()*+,;=:]+$"},
        parametersRef=fields("group kind name", group=TEXT, kind=TEXT, name=TEXT, namespace=TEXT), description=TEXT),
    ("gateway.networking.k8s.io/v1", "Gateway"): fields(
        "gatewayClassName listeners", gatewayClassName=TEXT, addresses=several(fields("value", type=TEXT, value=TEXT), 0, 16),
        infrastructure=fields(labels=TEXTS, annotations=TEXTS, parametersRef=fields("group kind name", group=TEXT, kind=TEXT, name=TEXT)),
        listeners=several(fields(
            "name port protocol", name={"type": "string", "pattern": LABEL}, hostname=TEXT, port=PORT,
            protocol=one_of("TURN-UDP", "TURN-TCP", "TURN-TLS", "TURN-DTLS"),
            tls=fields(mode=one_of("Terminate", "Passthrough"), certificateRefs=several({"type": "object"}), options=TEXTS),
            allowedRoutes=fields(
                namespaces=fields(**{"from": one_of("All", "Selector", "Same", "None"), "selector": SELECTOR}),
                kinds=several(fields("kind", group=TEXT, kind=TEXT)))))),
    ("stunner.l7mp.io/v1", "GatewayConfig"): fields(
        dataplane=TEXT, realm={"type": "string", "pattern": r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"},
        authType=one_of("plaintext", "static", "longterm", "ephemeral", "timewindowed"), userName=TEXT, password=TEXT,
        sharedSecret=TEXT, authLifetime=number(0, 2**31 - 1),
        authRef=fields("name", group={"enum": [""]}, kind=one_of("Secret"), name=TEXT, namespace=TEXT),
        loadBalancerServiceAnnotations=TEXTS, logLevel=TEXT),
    ("stunner.l7mp.io/v1", "UDPRoute"): fields(
        "rules", parentRefs=several(
            fields("name", group=TEXT, kind=TEXT, namespace=TEXT, name=TEXT, sectionName=TEXT, port=PORT), 0, 32),
        rules=several(fields(backendRefs=several(fields(
            "name", group={"type": "string"}, kind=TEXT, name=TEXT, namespace=TEXT, port=PORT, endPort=PORT), 1, 16)), 1, 16)),
    ("cert-manager.io/v1", "ClusterIssuer"): fields(
        "acme", acme=fields(
            "server privateKeySecretRef", email=TEXT, server=TEXT, preferredChain=TEXT, profile=TEXT, caBundle=TEXT,
            skipTLSVerify=FLAG, disableAccountKeyGeneration=FLAG, enableDurationFeature=FLAG, privateKeySecretRef=KEY_OF_SECRET,
            solvers=several(fields(
                selector=fields(matchLabels=TEXTS, dnsNames=several(TEXT), dnsZones=several(TEXT)),
                dns01=fields(
                    cnameStrategy=one_of("None", "Follow"),
                    rfc2136=fields(
                        "nameserver", nameserver=TEXT, tsigSecretSecretRef=KEY_OF_SECRET, tsigKeyName=TEXT,
                        tsigAlgorithm=one_of("HMACMD5", "HMACSHA1", "HMACSHA256", "HMACSHA512"), protocol=one_of("TCP", "UDP"))))))),
    ("cert-manager.io/v1", "Certificate"): fields(
        "secretName issuerRef", secretName=TEXT, commonName={"type": "string", "maxLength": 64}, dnsNames=several(TEXT),
        ipAddresses=several(TEXT), duration=TIME, renewBefore=TIME, isCA=FLAG, usages=several(TEXT),
        secretTemplate=fields(annotations=TEXTS, labels=TEXTS), revisionHistoryLimit=number(1, 2**31 - 1),
        privateKey=fields(
            rotationPolicy=one_of("Never", "Always"), encoding=one_of("PKCS1", "PKCS8"),
            algorithm=one_of("RSA", "ECDSA", "Ed25519"), size={"enum": [256, 384, 521, 2048, 4096, 8192]}),
        issuerRef=fields("name", name=TEXT, kind=one_of("Issuer", "ClusterIssuer"), group=TEXT)),
    ("source.toolkit.fluxcd.io/v1", "GitRepository"): fields(
        "url interval", url={"type": "string", "pattern": "^(http|https|ssh)://.*$"}, interval=TIME, timeout=TIME,
        secretRef=fields("name", name=TEXT), ref=fields(branch=TEXT, tag=TEXT, semver=TEXT, name=TEXT, commit=TEXT),
        ignore=TEXT, suspend=FLAG, recurseSubmodules=FLAG, sparseCheckout=several(TEXT)),
    ("kustomize.toolkit.fluxcd.io/v1", "Kustomization"): fields(
        "interval prune sourceRef", interval=TIME, retryInterval=TIME, timeout=TIME, path=TEXT, prune=FLAG, wait=FLAG, force=FLAG,
        suspend=FLAG, targetNamespace=TEXT, serviceAccountName=TEXT, sourceRef=SOURCE,
        dependsOn=several(fields("name", name=TEXT, namespace=TEXT)),
        postBuild=fields(substitute=TEXTS, substituteFrom=several(
            fields("kind name", kind=one_of("ConfigMap", "Secret"), name=TEXT, optional=FLAG))),
        decryption=fields("provider", provider=one_of("sops"), secretRef=fields("name", name=TEXT))),
    ("helm.toolkit.fluxcd.io/v2", "HelmRelease"): fields(
        "interval chart", interval=TIME, timeout=TIME, suspend=FLAG,
        releaseName={"type": "string", "minLength": 1, "maxLength": 53}, targetNamespace=TEXT, storageNamespace=TEXT,
        serviceAccountName=TEXT, maxHistory=number(0, 1000), values={"type": "object"},
        valuesFrom=several(fields(
            "kind name", kind=one_of("ConfigMap", "Secret"), name=TEXT, valuesKey=TEXT, targetPath=TEXT, optional=FLAG)),
        chart=fields("spec", metadata=fields(labels=TEXTS, annotations=TEXTS), spec=fields(
            "chart sourceRef", chart=TEXT, version=TEXT, sourceRef=SOURCE, interval=TIME,
            reconcileStrategy=one_of("ChartVersion", "Revision"), valuesFiles=several(TEXT), ignoreMissingValuesFiles=FLAG)),
        install=fields(timeout=TIME, createNamespace=FLAG, remediation=fields(retries=number(-1, 1000))),
        upgrade=fields(timeout=TIME, cleanupOnFail=FLAG, remediation=fields(
            retries=number(-1, 1000), remediateLastFailure=FLAG, strategy=one_of("rollback", "uninstall")))),
}

METADATA = fields("name", name={"type": "string", "pattern": r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", "maxLength": 253},
                  namespace={"type": "string", "pattern": LABEL}, labels=TEXTS, annotations=TEXTS)


def validate(thing: dict):
    spec = SPECS.get((thing.get("apiVersion"), thing.get("kind")))
    if spec is None:
        kubernetes_validate.validate(thing, VERSION, strict=True)
    else:
        whole = fields("apiVersion kind metadata spec", apiVersion=TEXT, kind=TEXT, metadata=METADATA, spec=spec)
        jsonschema.validate(thing, whole, jsonschema.Draft202012Validator)
    # What a name or label may be is in no schema.
    for value in thing["metadata"].get("labels", {}).values():
        assert len(value) <= 63, value
