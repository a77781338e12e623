using System.Text.Json.Nodes;
using Ome.LocalCluster.Protocol;

namespace Ome.LocalCluster.Storage;

/// <summary>The parts of <c>metadata.ownerReferences[]</c> that garbage collection looks at.</summary>
public sealed record OwnerReference(string Uid, string ApiVersion, string Kind, string Name)
{
    public static IReadOnlyList<OwnerReference> ReadAll(JsonObject metadata) => metadata["ownerReferences"] is JsonArray { Count: > 0 } list
        ? [.. list.OfType<JsonObject>().Select(r => new OwnerReference(r.Text("uid") ?? "", r.Text("apiVersion") ?? "", r.Text("kind") ?? "", r.Text("name") ?? ""))]
        : [];
}
