import Testing

@testable import probe

@Suite struct TextTableTests {
    @Test func columnsStandBelowEachOther() {
        let text = TextTable.text(
            ["node", "state", "url"], [["edge-eu", "ready", "http://a"], ["o", "draining", ""]])
        #expect(text == "node     state     url\nedge-eu  ready     http://a\no        draining")
    }
}
