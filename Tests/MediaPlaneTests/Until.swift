/// Waits for what a worker's thread does without an event of its own. The time limit of the suite ends it.
func until(_ condition: () async -> Bool) async throws {
    while await !condition() {
        try Task.checkCancellation()
        await Task.yield()
    }
}
