using KubeOps.Abstractions.Entities.Attributes;

namespace Ome.Shared.Api;

/// <summary>
/// core/v1 NodeAffinity, as own classes: the client's V1 types carry no marks for required members and atomic lists, and the schema must
/// have them (contract 1.4).
/// </summary>
public sealed class NodeAffinity
{
    [Description("Preferences; accepted and ignored.")]
    [XListType(XListType.Atomic)]
    public List<PreferredSchedulingTerm>? PreferredDuringSchedulingIgnoredDuringExecution { get; set; }

    [Description("Terms of which a node must match at least one.")]
    [XMapType(XMapType.Atomic)]
    public NodeSelector? RequiredDuringSchedulingIgnoredDuringExecution { get; set; }
}

/// <summary>core/v1 PreferredSchedulingTerm.</summary>
public sealed class PreferredSchedulingTerm
{
    [Description("The term preferred.")]
    [Required]
    [XMapType(XMapType.Atomic)]
    public NodeSelectorTerm Preference { get; set; } = new();

    [Description("Weight, 1 to 100.")]
    [Required]
    public int Weight { get; set; }
}

/// <summary>core/v1 NodeSelector.</summary>
public sealed class NodeSelector
{
    [Description("Terms; one is enough.")]
    [Required]
    [XListType(XListType.Atomic)]
    public List<NodeSelectorTerm> NodeSelectorTerms { get; set; } = [];
}

/// <summary>core/v1 NodeSelectorTerm; all its requirements must hold.</summary>
public sealed class NodeSelectorTerm
{
    [Description("Requirements on node labels.")]
    [XListType(XListType.Atomic)]
    public List<NodeSelectorRequirement>? MatchExpressions { get; set; }

    [Description("Requirements on node fields; metadata.name is the only one.")]
    [XListType(XListType.Atomic)]
    public List<NodeSelectorRequirement>? MatchFields { get; set; }
}

/// <summary>core/v1 NodeSelectorRequirement.</summary>
public sealed class NodeSelectorRequirement
{
    [Description("Label key, or metadata.name.")]
    [Required]
    public string Key { get; set; } = "";

    [Description("In, NotIn, Exists, DoesNotExist, Gt or Lt.")]
    [Required]
    public string Operator { get; set; } = "";

    [Description("Values; empty for Exists and DoesNotExist, one integer for Gt and Lt.")]
    [XListType(XListType.Atomic)]
    public List<string>? Values { get; set; }
}
