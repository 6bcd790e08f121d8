import Testing

/// `#expect(actual == expected)` for calls that change their receiver, which the macro cannot take apart.
func expect<Value: Equatable>(
    _ actual: Value, is expected: Value, _ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(actual == expected, comment, sourceLocation: sourceLocation)
}
