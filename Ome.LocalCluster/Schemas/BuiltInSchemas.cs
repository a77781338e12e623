using System.Globalization;
using System.Text.Json.Nodes;

namespace Ome.LocalCluster.Schemas;

/// <summary>The schemas of built-in kinds, read once from the embedded <c>Kinds.txt</c>; its head explains the notation.</summary>
/// <remarks>Names and references are those of <c>/openapi/v3</c>. Types the file leaves out are free-form objects.</remarks>
internal sealed class BuiltInSchemas
{
    public const string Reference = "#/components/schemas/";
    public const string ObjectMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

    private static readonly Lazy<BuiltInSchemas> Shared = new(Read);

    private readonly Dictionary<string, JsonObject> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Group, string Version, string Kind), string> _byKind = [];

    public static BuiltInSchemas All => Shared.Value;

    /// <summary>Full names by group, version and kind.</summary>
    public IReadOnlyDictionary<(string Group, string Version, string Kind), string> Kinds => _byKind;

    /// <summary>A schema by its full name, or by a reference to it; null when unknown.</summary>
    public JsonObject? Find(string nameOrReference) => _byName.GetValueOrDefault(nameOrReference[(nameOrReference.LastIndexOf('/') + 1)..]);

    /// <summary>The schema of a kind; null when it ships none.</summary>
    public JsonObject? Find(string group, string version, string kind) => _byKind.TryGetValue((group, version, kind), out var name) ? _byName[name] : null;

    private static BuiltInSchemas Read()
    {
        using var stream = typeof(BuiltInSchemas).Assembly.GetManifestResourceStream("Kinds.txt")!;
        using var reader = new StreamReader(stream);
        var lines = new List<string>();
        while (reader.ReadLine() is { } line)
        {
            if (line.Length > 0 && line[0] != '#') lines.Add(line);
        }
        var result = new BuiltInSchemas();
        result.Read(lines, FullNames(lines));
        return result;
    }

    // A type may be used before its line comes, so names are collected first. Within its own package a short name wins.
    private static ILookup<string, string> FullNames(List<string> lines)
    {
        var package = "";
        var names = new List<string>();
        foreach (var line in lines)
        {
            if (line.StartsWith("package ", StringComparison.Ordinal)) package = line[8..];
            else if (line.StartsWith("type ", StringComparison.Ordinal)) names.Add(package + "." + line.Split(' ')[1]);
        }
        return names.ToLookup(name => name[(name.LastIndexOf('.') + 1)..], StringComparer.Ordinal);
    }

    private void Read(List<string> lines, ILookup<string, string> names)
    {
        var package = "";
        JsonObject type = [];
        foreach (var line in lines)
        {
            if (line.StartsWith("package ", StringComparison.Ordinal)) package = line[8..];
            else if (line[0] == ' ') AddField(type, line.Trim(), package, names);
            else type = AddType(line[5..], package);
        }
    }

    private JsonObject AddType(string line, string package)
    {
        var (words, text) = Split(line);
        var schema = new JsonObject { ["type"] = "object" };
        if (text is not null) schema["description"] = text;
        _byName[package + "." + words[0]] = schema;
        foreach (var word in words.Skip(1))
        {
            if (word == "map=atomic") schema["x-kubernetes-map-type"] = "atomic";
            if (!word.StartsWith("kind=", StringComparison.Ordinal)) continue;
            var parts = word[5..].Split('/');
            var group = parts.Length == 2 ? parts[0] : "";
            _byKind[(group, parts[^1], words[0])] = package + "." + words[0];
            schema["properties"] = new JsonObject
            {
                ["apiVersion"] = new JsonObject { ["type"] = "string", ["description"] = "Group and version of this representation." },
                ["kind"] = new JsonObject { ["type"] = "string", ["description"] = "What the object is." },
            };
            schema["x-kubernetes-group-version-kind"] = new JsonArray(GroupVersionKind(group, parts[^1], words[0]));
        }
        return schema;
    }

    public static JsonObject GroupVersionKind(string group, string version, string kind) => new() { ["group"] = group, ["version"] = version, ["kind"] = kind };

    private static void AddField(JsonObject type, string line, string package, ILookup<string, string> names)
    {
        var (words, text) = Split(line);
        var name = words[0].TrimEnd('!');
        if (words[0][^1] == '!') Append(type, "required", name);
        var schema = TypeOf(words[1], package, names);
        foreach (var word in words.Skip(2)) Mark(schema, word);
        if (text is not null) schema["description"] = text;
        // A reference stands alone in OpenAPI 3.0; what belongs to the field goes beside an allOf.
        if (schema.Count > 1 && schema["$ref"] is { } reference)
        {
            schema.Remove("$ref");
            schema["allOf"] = new JsonArray(new JsonObject { ["$ref"] = reference.DeepClone() });
        }
        if (type["properties"] is not JsonObject properties) type["properties"] = properties = [];
        properties[name] = schema;
    }

    private static JsonObject TypeOf(string text, string package, ILookup<string, string> names)
    {
        if (text.StartsWith("[]", StringComparison.Ordinal)) return new() { ["type"] = "array", ["items"] = TypeOf(text[2..], package, names) };
        if (text.StartsWith("map:", StringComparison.Ordinal)) return new() { ["type"] = "object", ["additionalProperties"] = TypeOf(text[4..], package, names) };
        switch (text)
        {
            case "string" or "boolean" or "number": return new() { ["type"] = text };
            case "int32" or "int64": return new() { ["type"] = "integer", ["format"] = text };
            case "bytes": return new() { ["type"] = "string", ["format"] = "byte" };
            case "time": return new() { ["type"] = "string", ["format"] = "date-time" };
            case "int-or-string" or "quantity": return new() { ["x-kubernetes-int-or-string"] = true };
            case "object": return new() { ["type"] = "object", ["x-kubernetes-preserve-unknown-fields"] = true };
            default:
                var candidates = names[text[(text.LastIndexOf('.') + 1)..]].ToList();
                var full = text.Contains('.', StringComparison.Ordinal) ? text : candidates.Find(name => name == package + "." + text) ?? candidates.Single();
                return new() { ["$ref"] = Reference + full };
        }
    }

    private static void Mark(JsonObject schema, string word)
    {
        var (name, value) = (word[..word.IndexOf('=', StringComparison.Ordinal)], word[(word.IndexOf('=', StringComparison.Ordinal) + 1)..]);
        var (head, argument) = value.IndexOf('(', StringComparison.Ordinal) is var open and >= 0 ? (value[..open], value[(open + 1)..^1]) : (value, null);
        switch (name)
        {
            case "list":
                schema["x-kubernetes-list-type"] = head;
                if (argument is not null) schema["x-kubernetes-list-map-keys"] = new JsonArray([.. argument.Split(',').Select(key => (JsonNode)key)]);
                break;
            case "patch":
                schema["x-kubernetes-patch-strategy"] = head.Replace('+', ',');
                if (argument is not null) schema["x-kubernetes-patch-merge-key"] = argument;
                break;
            case "map": schema["x-kubernetes-map-type"] = value; break;
            case "enum": schema["enum"] = new JsonArray([.. value.Split('|').Select(item => (JsonNode)(item == "\"\"" ? "" : item))]); break;
            default: schema["default"] = Default(value); break;
        }
    }

    private static JsonNode Default(string value)
    {
        if (value == "{}") return new JsonObject();
        return long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : value;
    }

    private static (string[] Words, string? Text) Split(string line)
    {
        var at = line.IndexOf(" -- ", StringComparison.Ordinal);
        return ((at < 0 ? line : line[..at]).Split(' '), at < 0 ? null : line[(at + 4)..]);
    }

    private static void Append(JsonObject schema, string member, string value)
    {
        if (schema[member] is not JsonArray list) schema[member] = list = [];
        list.Add((JsonNode)value);
    }
}
