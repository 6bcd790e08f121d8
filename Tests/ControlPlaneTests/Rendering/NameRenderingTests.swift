import ControlPlane
import Testing

@testable import probe

// Names and the servers that answer for them. That gdnsd and Terraform read what is rendered is seen with the programs
// themselves (Tests/Clients/test_rendering.py).

@Suite struct NameRenderingTests {
    private func text(
        _ target: RenderTarget, _ path: String, _ changes: (old: String, new: String)...
    ) throws -> String {
        var yaml = RenderingSample.yaml
        for change in changes {
            #expect(yaml.contains(change.old))
            yaml = yaml.replacing(change.old, with: change.new)
        }
        let files = try target.files(of: Topology.parse(yaml, file: "t").topology, file: "t")
        return try #require(files.first { $0.path == path }).text
    }

    @Test func gdnsdConfiguration() throws {
        let expected = """
            # Rendered by `probe topology render --target gdnsd`: change the topology, not this file.
            options => {
              listen => any
              min_ttl => 3
            }
            service_types => {
              viewers => {
                plugin => http_status
                port => 8080, url_path => /health, vhost => live.example.net
                interval => 2, timeout => 1, up_thresh => 2, ok_thresh => 2, down_thresh => 2
              }
              publishers => {
                plugin => http_status
                port => 8080, url_path => /health, vhost => in.example.net
                interval => 2, timeout => 1, up_thresh => 2, ok_thresh => 2, down_thresh => 2
              }
            }
            plugins => {
              geoip => {
                maps => {
                  viewers => {
                    datacenters => [ eu, us, asia ]
                    nets => {
                      10.1.0.0/16 => [ eu, us, asia ]
                      10.2.0.0/16 => [ us, eu, asia ]
                      2001:db8:3::/48 => [ asia, eu, us ]
                    }
                  }
                  publishers => {
                    datacenters => [ eu ]
                    nets => {
                      10.1.0.0/16 => [ eu ]
                      10.2.0.0/16 => [ eu ]
                      2001:db8:3::/48 => [ eu ]
                    }
                  }
                }
                resources => {
                  viewers => {
                    map => viewers, service_types => viewers, up_thresh => 0.001
                    dcmap => {
                      eu => {
                        addrs_v4 => {
                          edge-eu-1 => 192.0.2.11
                          edge-eu-2 => 192.0.2.12
                        }
                        addrs_v6 => {
                          edge-eu-1 => 2001:db8::11
                        }
                      }
                      us => {
                        addrs_v4 => {
                          edge-us => 192.0.2.13
                        }
                      }
                      asia => {
                        addrs_v4 => {
                          edge-asia => 192.0.2.14
                        }
                      }
                    }
                  }
                  publishers => {
                    map => publishers, service_types => publishers, up_thresh => 0.001
                    dcmap => {
                      eu => {
                        addrs_v4 => {
                          origin-1 => 192.0.2.10
                        }
                      }
                    }
                  }
                }
              }
            }

            """
        #expect(try text(.gdnsd, "config") == expected)
    }

    @Test func gdnsdZone() throws {
        let lines = try text(.gdnsd, "zones/example.net").split(separator: "\n").map(String.init)
        #expect(lines[1].hasPrefix("example.net. 3 SOA ns1.example.net. hostmaster.example.net. "))
        #expect(
            lines.dropFirst(2) == [
                "example.net. 3600 NS ns1.example.net.",
                "example.net. 3600 NS ns.elsewhere.example.",
                "ns1.example.net. 3600 A 192.0.2.53",
                "live.example.net. 3/3 DYNA geoip!viewers",
                "in.example.net. 3/3 DYNA geoip!publishers",
                "eu.example.net. 3/3 DYNA geoip!viewers/eu",
                "america.example.net. 3/3 DYNA geoip!viewers/us",
                "asia.example.net. 3/3 DYNA geoip!viewers/asia",
                "edge-eu-1.example.net. 3600 A 192.0.2.11",
                "edge-eu-1.example.net. 3600 AAAA 2001:db8::11",
            ])
    }

    /// Servers look at nothing else to see that a zone has changed.
    @Test func serialIsOfTheContent() throws {
        let serial = { (address: String) throws -> Substring in
            try text(.gdnsd, "zones/example.net", (old: "192.0.2.53", new: address)).split(separator: " ")[18]
        }
        let first = try serial("192.0.2.53")
        let (again, other) = (try serial("192.0.2.53"), try serial("192.0.2.54"))
        #expect(UInt32(first) != nil && again == first && other != first)
    }

    /// A server that speaks no TLS has curl ask, by the name whose certificate clients will see.
    @Test func healthByHTTPS() throws {
        let tls = (
            old: "public: {", new: "public: { tls: { certificate: c, key: k }, "
        )
        let config = try text(.gdnsd, "config", tls, (old: "http://", new: "https://"))
        #expect(config.contains("plugin => extmon"))
        #expect(
            config.contains(
                #""--resolve", "live.example.net:8080:%%ITEM%%", "https://live.example.net:8080/health" ]"#))
    }

    @Test func placesNeedNoCoordinates() throws {
        let changes = [
            (old: "name: live.example.net", new: "name: live.example.net\n  geoip2: GeoLite2-Country.mmdb"),
            (old: "networks: [10.1.0.0/16]", new: "places: [EU, AF, AS/TR]"),
            (old: "networks: [\"2001:db8:3::/48\"]", new: "places: [AS, OC, EU/CY]"),
        ]
        let config = try text(.gdnsd, "config", changes[0], changes[1], changes[2])
        #expect(
            config.contains(
                """
                        geoip2_db => "GeoLite2-Country.mmdb"
                        map => {
                          AF => [ eu, us, asia ]
                          AS => {
                            default => [ asia, eu, us ]
                            TR => [ eu, us, asia ]
                          }
                          EU => {
                            default => [ eu, us, asia ]
                            CY => [ asia, eu, us ]
                          }
                          OC => [ asia, eu, us ]
                        }
                """))
        #expect(!config.contains("auto_dc_coords"))
        let cities = try text(.gdnsd, "config", changes[0])
        #expect(cities.contains("auto_dc_coords => {\n          eu => [ 50.11, 8.68 ]\n"))
    }

    @Test func coreDNSHasAViewForEachRegionsNetworks() throws {
        let core = try text(.coredns, "Corefile")
        #expect(core.contains("view us {\n    expr incidr(client_ip(), '10.2.0.0/16')\n  }\n  file us.zone {"))
        #expect(try text(.coredns, "us.zone").contains("live.example.net. 3 A 192.0.2.13\n"))
        #expect(try text(.coredns, "default.zone").contains("live.example.net. 3 A 192.0.2.11\n"))
    }

    @Test func route53PrefersTheNearestAndSkipsTheSick() throws {
        let terraform = try text(.route53, "route53.tf")
        #expect(terraform.contains("latitude  = \"39.04\"\n      longitude = \"-77.49\""))
        #expect(terraform.contains("name                   = \"america.example.net\"\n    zone_id"))
        #expect(terraform.contains("health_check_id = aws_route53_health_check.viewers-edge-us-a.id"))
    }

    @Test(arguments: [
        (50.11, 8.68, "germanywestcentral"), (39.04, -77.49, "eastus2"), (1.35, 103.82, "southeastasia"),
        (-33.9, 151.2, "australiaeast"), (-18.1, 178.4, "newzealandnorth"),
    ])
    func azureLocationIsTheNearest(latitude: Double, longitude: Double, name: String) {
        #expect(AzureLocation.nearest(to: .init(latitude: latitude, longitude: longitude)).name == name)
    }

    static let unusable: [(target: RenderTarget, old: String, new: String, problem: String)] = [
        (.gdnsd, "dns:", "# ", "t: dns: is missing; --target gdnsd needs it"),
        (.coredns, "  name_servers:", "  # ", "t: dns.name_servers: is missing; --target coredns needs it"),
        (
            .route53, "location: [1.35, 103.82], ", "",
            "t: regions[2].location: is missing; --target route53 needs it"
        ),
        (
            .gdnsd, "public: { listen: \"0.0.0.0:8080\", addresses: [192.0.2.14] }",
            "public: { listen: \"0.0.0.0:8080\" }",
            "t: nodes[4].public.addresses: is missing: what does live.example.net resolve to at edge-asia?"
        ),
        (
            .gdnsd, "public: { addresses: [192.0.2.10] }", "public: { url: \"http://in.example.net:8080\" }",
            "t: nodes[0].public.addresses: is missing: what does in.example.net resolve to at origin-1?"
        ),
        (
            .gdnsd, "role: origin, region: eu, public: { addresses: [192.0.2.10] }",
            "role: edge, viewers: false, upstream: { dns: { name: x } }, region: eu, public: { url: \"http://o.example.net\" }",
            "t: dns.publish: no node is there that it could lead to\n"
                + "t: nodes[0].public.addresses: is missing: what does o.example.net resolve to at origin-1?"
        ),
        (
            .azureTrafficManager, "http://192.0.2.13:8080", "http://192.0.2.13:8081",
            "t: nodes[3].public.url: http://192.0.2.13:8081 has another scheme or port than edge-eu-1; clients of "
                + "live.example.net use one for all"
        ),
    ]

    @Test(arguments: unusable)
    func whatIsMissingIsSaid(_ row: (target: RenderTarget, old: String, new: String, problem: String)) throws {
        var yaml = RenderingSample.yaml
        if row.old == "dns:" || row.old == "  name_servers:" {
            // The section and what is below it.
            let lines = yaml.split(separator: "\n", omittingEmptySubsequences: false)
            let start = try #require(lines.firstIndex { $0 == row.old })
            let depth = row.old.prefix { $0 == " " }.count
            let rest = lines[(start + 1)...].drop { $0.prefix { $0 == " " }.count > depth }
            yaml = (lines[..<start] + rest).joined(separator: "\n")
        } else {
            #expect(yaml.contains(row.old))
            yaml = yaml.replacing(row.old, with: row.new)
        }
        let topology = try Topology.parse(yaml, file: "t").topology
        let error = #expect(throws: ConfigurationError.self) { try row.target.files(of: topology, file: "t") }
        #expect(error?.description == row.problem)
    }
}
