using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ome.Tests.Architecture;
using YamlDotNet.RepresentationModel;

namespace Ome.Tests.Support;

/// <summary>
/// Compares a text with a committed file. On a difference the new text is written beside it as <c>NAME.actual</c> and the test fails;
/// with <c>OME_GOLDEN=update</c> the file itself is rewritten, so that the change is read as a diff.
/// </summary>
public static class Golden
{
    private const int MaxBytes = 8 << 20;
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>True when goldens are to be rewritten instead of compared.</summary>
    public static bool Updating { get; } = ReadUpdateSwitch();

    /// <summary>Compares <paramref name="actual"/> with <c>Ome.Tests/Cases/<paramref name="name"/></c> as normalised text.</summary>
    public static void Match(string actual, string name) =>
        MatchFile(actual, Path.Combine("Ome.Tests", "Cases", name));

    /// <summary>Compares with a file given relative to the repository root; <paramref name="meaning"/> turns both texts into what is compared.</summary>
    public static void MatchFile(string actual, string path, Func<string, string>? meaning = null)
    {
        var file = Path.Combine(RepositoryTests.RepositoryRoot(), path);
        var beside = file + ".actual";
        var text = Normalize(actual);
        var differ = Compare(text, file, meaning ?? (same => same));
        if (differ is null)
        {
            File.Delete(beside);
            return;
        }
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(Updating ? file : beside, text);
        if (!Updating) Assert.Fail($"{path}: {differ} The new text is in {path}.actual; to accept it, run the test with OME_GOLDEN=update.");
        File.Delete(beside);
    }

    /// <summary>The text of a committed file, given relative to the repository root.</summary>
    public static string ReadFile(string path) => Read(Path.Combine(RepositoryTests.RepositoryRoot(), path));

    /// <summary>LF line ends, no trailing blanks, one final newline.</summary>
    public static string Normalize(string text)
    {
        var lines = text.ReplaceLineEndings("\n").Split('\n').Select(line => line.TrimEnd());
        return string.Join('\n', lines).TrimEnd('\n') + "\n";
    }

    /// <summary>JSON with sorted member names, indented: two texts of the same meaning become the same text.</summary>
    public static string CanonicalJson(string json) => Sorted(JsonNode.Parse(json))?.ToJsonString(Indented) ?? "null";

    /// <summary>All YAML documents as JSON with sorted member names; comments, quoting style and key order carry no meaning.</summary>
    public static string CanonicalYaml(string yaml)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        var documents = new JsonArray([.. stream.Documents.Select(document => ToJson(document.RootNode))]);
        return Sorted(documents)!.ToJsonString(Indented);
    }

    private static string? Compare(string text, string file, Func<string, string> meaning)
    {
        if (!File.Exists(file)) return "the committed file is missing.";
        var (want, have) = (meaning(Read(file)), meaning(text));
        if (want == have) return null;
        var (wantLines, haveLines) = (want.Split('\n'), have.Split('\n'));
        var at = Enumerable.Range(0, Math.Min(wantLines.Length, haveLines.Length)).FirstOrDefault(i => wantLines[i] != haveLines[i], Math.Min(wantLines.Length, haveLines.Length));
        return $"line {at + 1} differs: committed '{wantLines.ElementAtOrDefault(at)}', now '{haveLines.ElementAtOrDefault(at)}'.";
    }

    private static string Read(string file)
    {
        if (new FileInfo(file).Length > MaxBytes) throw new InvalidOperationException($"{file} is larger than {MaxBytes} bytes, too large for a golden file.");
        using var reader = new StreamReader(file, Encoding.UTF8);
        return Normalize(reader.ReadToEnd());
    }

    private static JsonNode? Sorted(JsonNode? node) => node switch
    {
        JsonObject map => new JsonObject(map.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => KeyValuePair.Create(pair.Key, Sorted(pair.Value)))),
        JsonArray list => new JsonArray([.. list.Select(Sorted)]),
        _ => node?.DeepClone(),
    };

    private static JsonNode? ToJson(YamlNode node) => node switch
    {
        YamlMappingNode map => new JsonObject(map.Children.Select(pair => KeyValuePair.Create(((YamlScalarNode)pair.Key).Value!, ToJson(pair.Value)))),
        YamlSequenceNode list => new JsonArray([.. list.Children.Select(ToJson)]),
        YamlScalarNode { Style: YamlDotNet.Core.ScalarStyle.Plain, Value: "" or "~" or "null" } => null,
        YamlScalarNode { Style: YamlDotNet.Core.ScalarStyle.Plain, Value: "true" or "false" } flag => JsonValue.Create(flag.Value == "true"),
        YamlScalarNode { Style: YamlDotNet.Core.ScalarStyle.Plain } plain when long.TryParse(plain.Value, out var number) => JsonValue.Create(number),
        YamlScalarNode scalar => JsonValue.Create(scalar.Value),
        _ => throw new InvalidOperationException($"YAML node {node.NodeType} has no JSON form."),
    };

#pragma warning disable RS0030 // the test runner has no Program.cs of ours that could pass the switch on
    private static bool ReadUpdateSwitch() => Environment.GetEnvironmentVariable("OME_GOLDEN") == "update";
#pragma warning restore RS0030
}
