using System.Text.Json.Nodes;

namespace Ome.LocalCluster.Patching;

/// <summary>JSON patch (RFC 6902). All operations or none.</summary>
/// <remarks>
/// Own code rather than Microsoft.AspNetCore.JsonPatch: that package patches typed objects, applies operations one by one to the
/// caller's object and cannot compare numbers by value in <c>test</c>.
/// </remarks>
public static class JsonPatch
{
    // kube-apiserver refuses longer patches; the bound is its own.
    private const int MaxOperations = 10_000;

    /// <summary>A new document; neither argument is changed.</summary>
    /// <exception cref="PatchException"><c>BadRequest</c> for a malformed patch, <c>Invalid</c> when an operation does not fit the target.</exception>
    public static JsonNode Apply(JsonNode target, JsonArray patch)
    {
        if (patch.Count > MaxOperations)
            throw PatchException.Invalid($"The allowed maximum operations in a JSON patch is {MaxOperations}, got {patch.Count}");
        JsonNode? document = target.DeepClone();
        foreach (var entry in patch) document = Apply(document, Operation.Read(entry));
        return document ?? throw PatchException.Invalid("the patch leaves no document");
    }

    private static JsonNode? Apply(JsonNode? document, Operation operation)
    {
        switch (operation.Name)
        {
            case "add": return Add(document, operation.Path, operation.Value);
            case "remove": return Remove(document, operation.Path, "remove");
            case "replace": return Replace(document, operation.Path, operation.Value);
            case "copy": return Add(document, operation.Path, Get(document, operation.From!, "copy")?.DeepClone());
            case "move": return Move(document, operation.From!, operation.Path);
            default: return Test(document, operation.Path, operation.Value);
        }
    }

    private static JsonNode? Add(JsonNode? document, JsonPointer path, JsonNode? value)
    {
        if (path.IsRoot) return value;
        switch (Parent(document, path, "add"))
        {
            case JsonObject map:
                map[path.Last] = value;
                break;
            case JsonArray list:
                var index = path.Last == "-" ? list.Count : JsonPointer.Index(path.Last, list.Count);
                list.Insert(index ?? throw Misfit("add", path, "is no index of that list"), value);
                break;
            default:
                throw Misfit("add", path, "does not exist");
        }
        return document;
    }

    private static JsonNode? Remove(JsonNode? document, JsonPointer path, string operation)
    {
        if (path.IsRoot) return null;
        switch (Parent(document, path, operation))
        {
            case JsonObject map when map.Remove(path.Last):
                return document;
            case JsonArray list when JsonPointer.Index(path.Last, list.Count - 1) is { } index:
                list.RemoveAt(index);
                return document;
            default:
                throw Misfit(operation, path, "does not exist");
        }
    }

    private static JsonNode? Replace(JsonNode? document, JsonPointer path, JsonNode? value)
    {
        if (path.IsRoot) return value;
        Get(document, path, "replace");
        if (Parent(document, path, "replace") is JsonArray list) list[JsonPointer.Index(path.Last, list.Count - 1)!.Value] = value;
        else ((JsonObject)Parent(document, path, "replace")!)[path.Last] = value;
        return document;
    }

    private static JsonNode? Move(JsonNode? document, JsonPointer from, JsonPointer path)
    {
        if (from.IsProperPrefixOf(path)) throw Misfit("move", path, "lies inside its own source");
        var value = Get(document, from, "move")?.DeepClone();
        return Add(Remove(document, from, "move"), path, value);
    }

    private static JsonNode? Test(JsonNode? document, JsonPointer path, JsonNode? expected)
    {
        // A missing member equals null here, as in the Go library kube-apiserver uses.
        var found = path.TryGet(document, out var actual);
        if (!found && expected is not null) throw Misfit("test", path, "does not exist");
        return JsonValues.Same(actual, expected) ? document : throw Misfit("test", path, "has another value");
    }

    private static JsonNode? Get(JsonNode? document, JsonPointer path, string operation) =>
        path.TryGet(document, out var value) ? value : throw Misfit(operation, path, "does not exist");

    private static JsonNode? Parent(JsonNode? document, JsonPointer path, string operation) =>
        path.TryGetParent(document, out var parent) ? parent : throw Misfit(operation, path, "does not exist");

    private static PatchException Misfit(string operation, JsonPointer path, string why) =>
        PatchException.Invalid($"json patch: {operation} operation does not apply: path \"{path.Text}\" {why}");

    private sealed record Operation(string Name, JsonPointer Path, JsonPointer? From, JsonNode? Value)
    {
        public static Operation Read(JsonNode? entry)
        {
            if (entry is not JsonObject map) throw PatchException.BadRequest("json patch: each operation must be an object");
            var name = Text(map, "op") ?? throw PatchException.BadRequest("json patch: an operation lacks \"op\"");
            var path = JsonPointer.Parse(Text(map, "path") ?? throw PatchException.BadRequest($"json patch: operation \"{name}\" lacks \"path\""));
            return name switch
            {
                "remove" => new(name, path, null, null),
                "add" or "replace" or "test" => map.TryGetPropertyValue("value", out var value)
                    ? new(name, path, null, value?.DeepClone())
                    : throw PatchException.BadRequest($"json patch: operation \"{name}\" on \"{path.Text}\" lacks \"value\""),
                "move" or "copy" => Text(map, "from") is { } from
                    ? new(name, path, JsonPointer.Parse(from), null)
                    : throw PatchException.BadRequest($"json patch: operation \"{name}\" on \"{path.Text}\" lacks \"from\""),
                _ => throw PatchException.BadRequest($"json patch: unknown operation \"{name}\": use add, remove, replace, move, copy or test"),
            };
        }

        private static string? Text(JsonObject map, string member) => map[member] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
    }
}
