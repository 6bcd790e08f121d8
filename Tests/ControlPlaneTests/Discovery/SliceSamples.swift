/// EndpointSlices as `kubectl get endpointslices -o json|yaml` and Cilium's operator write them.
enum SliceSample {
    /// Written by the endpoint slice controller of this cluster.
    static let local = """
        {
            "addressType": "IPv4",
            "apiVersion": "discovery.k8s.io/v1",
            "endpoints": [
                {
                    "addresses": ["10.0.1.17"],
                    "conditions": {"ready": true, "serving": true, "terminating": false},
                    "hostname": "origin-0",
                    "nodeName": "worker-3",
                    "targetRef": {"kind": "Pod", "name": "origin-0", "namespace": "default", "uid": "5f0c"},
                    "zone": "eu-central-1a"
                },
                {
                    "addresses": ["10.0.2.9"],
                    "conditions": {"ready": false, "serving": true, "terminating": true},
                    "hostname": "origin-1",
                    "nodeName": "worker-4",
                    "zone": "eu-central-1b"
                },
                {
                    "addresses": ["10.0.2.10"],
                    "conditions": {}
                }
            ],
            "kind": "EndpointSlice",
            "metadata": {
                "generateName": "origin-",
                "labels": {
                    "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
                    "kubernetes.io/service-name": "origin",
                    "service.kubernetes.io/headless": ""
                },
                "name": "origin-x7k2p",
                "namespace": "default",
                "resourceVersion": "42"
            },
            "ports": [
                {"appProtocol": "http", "name": "public", "port": 8080, "protocol": "TCP"},
                {"name": "internal", "port": 9090, "protocol": "TCP"},
                {"name": "media", "port": 5000, "protocol": "UDP"}
            ]
        }
        """

    /// Mirrored from the cluster `us-west` by cilium-operator.
    static let mirrored = #"""
        {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","addressType":"IPv4",
         "metadata":{"name":"origin-us-west-nvftm","namespace":"default",
          "labels":{"kubernetes.io/service-name":"origin",
           "endpointslice.kubernetes.io/managed-by":"endpointslice-mesh-controller.cilium.io",
           "multicluster.kubernetes.io/source-cluster":"us-west",
           "service.kubernetes.io/headless":""},
          "ownerReferences":[{"apiVersion":"v1","kind":"Service","name":"origin"}]},
         "endpoints":[{"addresses":["10.102.0.26"],"hostname":"origin-us-west-0","nodeName":"us-west","zone":"us-west",
           "conditions":{"ready":true,"serving":true,"terminating":false}}],
         "ports":null}
        """#

    static let list = """
        {"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": [
        \(local),
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "origin"}, "endpoints": 5, "ports": "rubbish"},
        \(mirrored)
        ]}
        """

    /// IPv6, another service, an empty document, and a slice without endpoints, which `kubectl` prints as null.
    static let documents = """
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        addressType: IPv6
        metadata:
          labels:
            kubernetes.io/service-name: origin
          name: origin-v6
        endpoints:
        - addresses:
          - 2001:db8:0:1::17
          conditions:
            ready: true
          hostname: origin-0
          zone: eu-central-1a
        ports:
        - name: ""
          port: 9443
          protocol: TCP
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        addressType: IPv4
        metadata:
          labels:
            kubernetes.io/service-name: edge
        endpoints:
        - addresses: [10.9.9.9]
        ports: null
        ---
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        addressType: IPv4
        metadata:
          labels: {kubernetes.io/service-name: origin}
        endpoints: null
        ports: []

        """

    /// A slice of the service `origin` with these addresses.
    static func json(_ addresses: String...) -> String {
        let endpoints = addresses.map { #"{"addresses":["\#($0)"]}"# }.joined(separator: ",")
        return #"{"kind":"EndpointSlice","apiVersion":"discovery.k8s.io/v1","addressType":"IPv4","#
            + #""metadata":{"labels":{"kubernetes.io/service-name":"origin"}},"endpoints":[\#(endpoints)],"ports":null}"#
    }
}
