using System.Text.Json.Nodes;
using Ome.LocalCluster.Patching;
using Ome.LocalCluster.Schemas;
using Ome.LocalCluster.Storage;
using Ome.LocalCluster.Tables;

namespace Ome.LocalCluster.Kinds;

/// <summary>One resource of one API version, built in or from a CRD, and how it behaves.</summary>
/// <remarks>Two versions of one kind are two of these over one <see cref="Collection"/>.</remarks>
public sealed class ApiResource
{
    public static readonly IReadOnlyList<string> AllVerbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

    /// <summary>Empty for the core group.</summary>
    public required string Group { get; init; }

    public required string Version { get; init; }

    public required string Plural { get; init; }

    public required string Kind { get; init; }

    public required bool Namespaced { get; init; }

    public required ObjectCollection Collection { get; init; }

    public string Singular { get; init; } = "";

    public string ListKind { get => field.Length > 0 ? field : Kind + "List"; init; } = "";

    public IReadOnlyList<string> ShortNames { get; init; } = [];

    public IReadOnlyList<string> Categories { get; init; } = [];

    public bool HasStatus { get; init; }

    /// <summary>Where the scale subresource finds its numbers; null without one.</summary>
    public ScalePaths? Scale { get; init; }

    /// <summary>Other subresources, named only in discovery (<c>token</c>).</summary>
    public IReadOnlyList<string> OtherSubresources { get; init; } = [];

    /// <summary>The version objects are kept in; exactly one per collection.</summary>
    public bool IsStorageVersion { get; init; } = true;

    /// <summary>Fields, beside name and namespace, that field selectors may use.</summary>
    public IReadOnlyList<string> SelectableFields { get; init; } = [];

    /// <summary>Defaults and checks.</summary>
    public ObjectRules Rules { get; init; } = ObjectRules.None;

    /// <summary>The schema of a custom resource; null for built-in kinds.</summary>
    public StructuralSchema? Schema { get; init; }

    /// <summary>What a built-in kind knows, to find unknown fields; null when no schema ships, which accepts everything.</summary>
    public StructuralSchema? Fields { get; init; }

    /// <summary>True for kinds that come from a CRD: no strategic merge, unconditional updates refused.</summary>
    public bool IsCustom { get; init; }

    /// <summary>How lists and maps merge.</summary>
    public MergeSchema Merge { get; init; } = MergeSchema.Unknown;

    public required TableColumns Columns { get; init; }

    /// <summary>Changes a tree from the storage version into this one; null when they are the same.</summary>
    public Action<JsonObject>? FromStorage { get; init; }

    /// <summary>Changes a tree of this version into the storage version; null when they are the same.</summary>
    public Action<JsonObject>? ToStorage { get; init; }

    public string GroupVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary><c>plural</c> or <c>plural.group</c>.</summary>
    public string QualifiedName => Group.Length == 0 ? Plural : $"{Plural}.{Group}";

    public IEnumerable<string> Subresources
    {
        get
        {
            if (HasStatus) yield return "status";
            if (Scale is not null) yield return "scale";
            foreach (var other in OtherSubresources) yield return other;
        }
    }

    /// <summary>A stored object as this version's tree.</summary>
    public JsonObject Read(StoredObject stored)
    {
        var tree = stored.Parse();
        FromStorage?.Invoke(tree);
        return tree;
    }

    /// <summary>A stored object as this version's JSON.</summary>
    public byte[] ReadJson(StoredObject stored) => FromStorage is null ? stored.Json : Protocol.JsonText.ToUtf8(Read(stored));
}

/// <summary>Simple JSON paths (<c>.spec.replicas</c>) of the scale subresource.</summary>
public sealed record ScalePaths(string SpecReplicas, string StatusReplicas, string? LabelSelector);
