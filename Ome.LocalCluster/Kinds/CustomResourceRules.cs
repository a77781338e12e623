using System.Text.Json.Nodes;
using Ome.LocalCluster.Schemas;

namespace Ome.LocalCluster.Kinds;

/// <summary>Kinds from a CRD: everything follows the version's structural schema.</summary>
public sealed class CustomResourceRules(StructuralSchema schema, bool hasStatus) : ObjectRules
{
    private readonly TransitionRules _transitions = TransitionRules.Read(schema.Source);

    public override bool AllowsUnconditionalUpdate => false;

    public override IReadOnlyList<string> Prune(JsonObject item) => schema.Prune(item);

    public override void Default(JsonObject item) => schema.Default(item);

    public override void PrepareForCreate(JsonObject item)
    {
        if (hasStatus) item.Remove("status");
    }

    public override bool IsNewGeneration(JsonObject item, JsonObject? old)
    {
        if (old is null) return true;
        return hasStatus ? DiffersOutside(item, old, "metadata", "status") : DiffersOutside(item, old, "metadata");
    }

    public override IReadOnlyList<FieldError> Validate(JsonObject item, JsonObject? old) =>
        old is null ? schema.Validate(item) : [.. schema.Validate(item), .. _transitions.Validate(item, old)];
}
