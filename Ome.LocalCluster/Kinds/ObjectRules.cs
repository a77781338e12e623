using System.Text.Json.Nodes;
using Ome.LocalCluster.Patching;
using Ome.LocalCluster.Schemas;

namespace Ome.LocalCluster.Kinds;

/// <summary>What a kind does to an object before it is stored, and what it refuses.</summary>
public class ObjectRules
{
    /// <summary>No rule at all: the object is stored as sent.</summary>
    public static ObjectRules None { get; } = new();

    /// <summary>Checks the object's name; null when it is fine.</summary>
    public virtual string? NameProblem(string name) => Protocol.MetadataNames.SubdomainProblem(name);

    /// <summary>True when an update may leave out <c>metadata.resourceVersion</c>.</summary>
    public virtual bool AllowsUnconditionalUpdate => true;

    /// <summary>Removes what the kind does not know; returns its paths.</summary>
    public virtual IReadOnlyList<string> Prune(JsonObject item) => [];

    /// <summary>Fills what was left out, in place.</summary>
    public virtual void Default(JsonObject item)
    {
    }

    /// <summary>Drops what a client may not set at creation, in place.</summary>
    public virtual void PrepareForCreate(JsonObject item)
    {
    }

    /// <summary>True when the kind counts generations and this change is one.</summary>
    public virtual bool IsNewGeneration(JsonObject item, JsonObject? old) => false;

    /// <summary>Errors by field; empty when the object is fine.</summary>
    public virtual IReadOnlyList<FieldError> Validate(JsonObject item, JsonObject? old) => [];

    /// <summary>What the writer should know although the object is fine.</summary>
    public virtual IEnumerable<string> Warnings(JsonObject item) => [];

    /// <summary>True when any member other than the named ones differs.</summary>
    protected static bool DiffersOutside(JsonObject item, JsonObject old, params ReadOnlySpan<string> ignored)
    {
        foreach (var name in item.Select(m => m.Key).Union(old.Select(m => m.Key), StringComparer.Ordinal))
        {
            if (!ignored.Contains(name) && !JsonValues.Same(item[name], old[name])) return true;
        }
        return false;
    }
}
