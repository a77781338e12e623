using System.Text.Json.Nodes;
using Ome.LocalCluster.Storage;

namespace Ome.LocalCluster.Protocol;

/// <summary>A parsed <c>fieldSelector</c>: equalities and inequalities on the fields a kind offers.</summary>
public sealed class FieldSelector
{
    private readonly List<(string Field, bool Equal, string Value)> _terms;

    private FieldSelector(List<(string, bool, string)> terms) => _terms = terms;

    public static FieldSelector Everything { get; } = new([]);

    public bool IsEverything => _terms.Count == 0;

    /// <summary>The name when the selector pins <c>metadata.name</c>.</summary>
    public string? Name => _terms.Where(t => t is { Field: "metadata.name", Equal: true }).Select(t => t.Value).FirstOrDefault();

    /// <summary>Reads <c>a=b,c!=d</c>.</summary>
    /// <param name="text">The query parameter.</param>
    /// <param name="supported">Fields of the kind beside metadata.name and metadata.namespace.</param>
    /// <exception cref="ApiException">400 for a form or a field that is not supported.</exception>
    public static FieldSelector Parse(string? text, IReadOnlyCollection<string> supported)
    {
        if (string.IsNullOrWhiteSpace(text)) return Everything;
        var terms = new List<(string, bool, string)>();
        foreach (var part in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var at = part.IndexOf('=', StringComparison.Ordinal);
            if (at <= 0) throw ApiException.BadRequest($"invalid field selector \"{text}\": can't understand '{part}'");
            var equal = part[at - 1] != '!';
            var field = part[..(equal ? at : at - 1)].Trim();
            var value = part[(at + 1)..].TrimStart('=').Trim();
            if (field is not ("metadata.name" or "metadata.namespace") && !supported.Contains(field))
                throw ApiException.BadRequest($"field label not supported: {field}");
            terms.Add((field, equal, value));
        }
        return new FieldSelector(terms);
    }

    public bool Matches(StoredObject item)
    {
        if (IsEverything) return true;
        JsonObject? tree = null;
        foreach (var (field, equal, value) in _terms)
        {
            var actual = field switch
            {
                "metadata.name" => item.Key.Name,
                "metadata.namespace" => item.Key.Namespace,
                _ => Read(tree ??= item.Parse(), field),
            };
            if ((actual == value) != equal) return false;
        }
        return true;
    }

    // An absent field reads as the empty text, as in kube-apiserver.
    private static string Read(JsonObject tree, string path)
    {
        JsonNode? node = tree;
        foreach (var step in path.Split('.')) node = (node as JsonObject)?[step];
        return node is JsonValue value ? value.ToString() : "";
    }
}
