using System.Text.Json.Nodes;

namespace Ome.LocalCluster.Schemas;

/// <summary>Finds <c>x-kubernetes-validations</c>. There is no CEL here: the rules are named so that nobody takes them for checked.</summary>
internal static class CelRules
{
    public static IReadOnlyList<string> PathsIn(JsonObject schema)
    {
        var paths = new List<string>();
        Walk(schema, "", paths);
        return paths;
    }

    private static void Walk(JsonObject schema, string path, List<string> paths)
    {
        if (schema["x-kubernetes-validations"] is JsonArray { Count: > 0 }) paths.Add(path.Length == 0 ? "." : path);
        if (schema["properties"] is JsonObject properties)
        {
            foreach (var (name, member) in properties)
            {
                if (member is JsonObject child) Walk(child, $"{path}.{name}", paths);
            }
        }
        if (schema["items"] is JsonObject items) Walk(items, path + "[*]", paths);
        if (schema["additionalProperties"] is JsonObject additional) Walk(additional, path + ".*", paths);
    }
}
