using System.Text.Json.Nodes;
using Ome.LocalCluster.Patching;

namespace Ome.LocalCluster.Kinds;

/// <summary>Built-in kinds with a spec that counts generations; the status is the server's until written through its subresource.</summary>
public class SpecRules : ObjectRules
{
    public static SpecRules Instance { get; } = new();

    public override void PrepareForCreate(JsonObject item) => item.Remove("status");

    public override bool IsNewGeneration(JsonObject item, JsonObject? old) => old is null || !JsonValues.Same(item["spec"], old["spec"]);
}
