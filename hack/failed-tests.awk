# Reads a .trx (VSTest writes one element a line) and prints each failed test: class.method, a tab, its name, a tab, the first line of what it said.
function attribute(name,   at, rest) {
  at = index($0, " " name "=\"")
  if (at == 0) return ""
  rest = substr($0, at + length(name) + 3)
  return substr(rest, 1, index(rest, "\"") - 1)
}
function plain(text) {
  gsub(/&quot;/, "\"", text); gsub(/&lt;/, "<", text); gsub(/&gt;/, ">", text); gsub(/&#x[0-9A-Fa-f]+;/, " ", text); gsub(/&amp;/, "\\&", text)
  return text
}
/<UnitTestResult / { open = ""; if (attribute("outcome") == "Failed") { open = attribute("testId"); order[++count] = open; title[open] = plain(attribute("testName")) } }
/<Message>/ && open != "" { text = $0; sub(/.*<Message>/, "", text); sub(/<\/Message>.*/, "", text); said[open] = plain(text); open = "" }
/<UnitTest / { definition = attribute("id") }
/<TestMethod / && (definition in title) { method = attribute("name"); sub(/\(.*/, "", method); full[definition] = attribute("className") "." method }
END { for (i = 1; i <= count; i++) print full[order[i]] "\t" title[order[i]] "\t" said[order[i]] }
