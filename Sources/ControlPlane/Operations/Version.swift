/// What `--version` and `sfu_build_info` say.
package enum CascadeVersion {
    package static let current = "0.1.0"
}
