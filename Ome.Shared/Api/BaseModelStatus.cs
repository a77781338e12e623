using KubeOps.Abstractions.Entities.Attributes;

namespace Ome.Shared.Api;

/// <summary>
/// Status of BaseModel and ClusterBaseModel: OME's four fields (contract 1.7) and, below them, ours (design 5), which OME's own CRD prunes.
/// State is required by the schema, so every status write must set it.
/// </summary>
[Description("What the nodes report about the model.")]
public sealed class BaseModelStatus
{
    /// <summary>Values of <see cref="State"/>; the operator writes only Ready, Failed and In_Transit.</summary>
    public static class States
    {
        public const string Creating = "Creating";
        public const string Importing = "Importing";
        public const string InTransit = "In_Transit";
        public const string InTraining = "In_Training";
        public const string Ready = "Ready";
        public const string Failed = "Failed";
    }

    [Description("Lifecycle of the model, for instance Public or Deprecated.")]
    public string? Lifecycle { get; set; }

    [Description("Ready when at least one node has the files, Failed when all that tried have failed, In_Transit otherwise.")]
    [Required]
    [EnumValues(States.Creating, States.Importing, States.InTransit, States.InTraining, States.Ready, States.Failed)]
    public string? State { get; set; }

    [Description("Names of the nodes that have the files, sorted.")]
    [XListType(XListType.Atomic)]
    public List<string>? NodesReady { get; set; }

    [Description("Names of the nodes that could not bring the files, or whose files went bad, sorted.")]
    [XListType(XListType.Atomic)]
    public List<string>? NodesFailed { get; set; }

    [Description("Nodes that are ready out of those that should be, for instance 3/4.")]
    public string? NodeSummary { get; set; }

    [Description("Nodes whose files are proven damaged, sorted by name.")]
    [XListType(XListType.Map)]
    [XListMapKeys("node")]
    public List<DamagedNode>? NodesDamaged { get; set; }

    [Description("Oldest time at which every byte on every ready node had been proven intact.")]
    public DateTimeOffset? OldestProofTime { get; set; }

    [Description("The generation of the object this status was computed for.")]
    public long? ObservedGeneration { get; set; }

    [Description("Ready and ArtifactsIntact, each True, False or Unknown with a reason; SpecValid and ReportsReadable while they are False.")]
    [XListType(XListType.Map)]
    [XListMapKeys("type")]
    public List<ModelCondition>? Conditions { get; set; }
}

/// <summary>A node whose files of a model are proven damaged (design 5).</summary>
public sealed class DamagedNode
{
    [Description("Name of the node.")]
    [Required]
    public string Node { get; set; } = "";

    [Description("Why, from the closed set of findings, for instance DigestMismatch.")]
    public string? Reason { get; set; }

    [Description("What was found, in one sentence.")]
    public string? Message { get; set; }

    [Description("When it was found.")]
    public DateTimeOffset? Since { get; set; }
}

/// <summary>A condition in the form of meta/v1 (own class: the client's V1Condition carries no marks for required members).</summary>
public sealed class ModelCondition
{
    /// <summary>At least one node has the files and may serve.</summary>
    public const string Ready = "Ready";

    /// <summary>No node is known to have damaged files.</summary>
    public const string ArtifactsIntact = "ArtifactsIntact";

    [Description("Type of the condition.")]
    [Required]
    [Length(maxLength: 316)]
    public string Type { get; set; } = "";

    [Description("True, False or Unknown.")]
    [Required]
    [EnumValues("True", "False", "Unknown")]
    public string Status { get; set; } = "";

    [Description("Generation of the object the condition was computed for.")]
    [RangeMinimum(0)]
    public long? ObservedGeneration { get; set; }

    [Description("When the status last changed.")]
    [Required]
    public DateTimeOffset LastTransitionTime { get; set; }

    [Description("One word for programs.")]
    [Required]
    [Length(minLength: 1, maxLength: 1024)]
    [Pattern("^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$")]
    public string Reason { get; set; } = "";

    [Description("One sentence for people.")]
    [Required]
    [Length(maxLength: 32768)]
    public string Message { get; set; } = "";
}
