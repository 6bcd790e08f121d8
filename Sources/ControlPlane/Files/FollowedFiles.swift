package import Logging
import ServiceLifecycle

/// Has small files read again when they change: secrets and certificates, which are replaced while the node runs.
///
/// Compares sizes, times and inodes behind symbolic links once a second, so that Kubernetes' swaps of a whole folder
/// are seen as well. What cannot be used changes nothing and is logged once per reason.
package struct FollowedFiles: Service {
    package struct Failure: Error {
        package var reason: String

        package init(_ reason: String) { self.reason = reason }
    }

    /// Files that are good or bad together.
    package struct Group: Sendable {
        /// For the log: "node secret".
        var name: String
        var paths: [String]
        /// Reads them all and puts them to use.
        var reload: @Sendable () async throws(Failure) -> Void

        package init(_ name: String, _ paths: [String], reload: @escaping @Sendable () async throws(Failure) -> Void) {
            (self.name, self.paths, self.reload) = (name, paths, reload)
        }
    }

    static let interval = Duration.seconds(1)

    private let groups: [Group]
    private let logger: Logger

    package init(_ groups: [Group], logger: Logger) { (self.groups, self.logger) = (groups, logger) }

    private struct State {
        /// As they were when last read with success; nil where a file was missing.
        var versions: [FileVersion?]?
        /// The ones that the log tells of.
        var told: [FileVersion?]?
        var problem: String?
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var states = self.groups.map { _ in State() }
            while !Task.isCancelled {
                for (index, group) in self.groups.enumerated() { await self.look(at: group, &states[index]) }
                try? await Task.sleep(for: Self.interval)
            }
        }
    }

    /// The first look reads them in any case: they may have changed since the node read its configuration.
    private func look(at group: Group, _ state: inout State) async {
        let found = group.paths.map { FileVersion.of($0) }
        let versions = found.map(\.version)
        guard versions != state.versions else { return }
        let isFirst = state.told == nil && state.problem == nil
        do throws(Failure) {
            try await group.reload()
            state.versions = found.contains(where: \.isFresh) ? nil : versions
            // A fresh file that is read once more is one change, and told once.
            if versions != state.told || state.problem != nil {
                logger.log(
                    level: isFirst ? .debug : .notice, isFirst ? "files read" : "files read again",
                    metadata: ["what": "\(group.name)"])
            }
            (state.told, state.problem) = (versions, nil)
        } catch {
            // Tried again at each look; something other than the file itself may be the cause.
            if state.problem != error.reason {
                logger.warning(
                    "files not usable",
                    metadata: [
                        "what": "\(group.name)", "reason": "\(error.reason)", "effect": "their last good state stays",
                    ])
            }
            state.problem = error.reason
        }
    }
}
