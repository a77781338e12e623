using k8s.Models;
using KubeOps.Abstractions.Entities;
using KubeOps.Abstractions.Entities.Attributes;
using Ome.Shared.Domain;

namespace Ome.Shared.Api;

/// <summary>
/// What one node knows of the files of one model (design 5). Written only by that node's agent; owned by the Node; named by
/// <c>ModelKey.CheckName</c>; labelled with <see cref="OmeNames.CheckNodeLabel"/> and <see cref="OmeNames.CheckKeyLabel"/>.
/// </summary>
[KubernetesEntity(Group = OmeNames.Group, ApiVersion = OmeNames.Version, Kind = KindName, PluralName = Plural)]
[EntityScope(EntityScope.Cluster)]
[KubernetesEntityShortNames("mic")]
[Description("ModelIntegrityCheck says what one node last proved about the files of one model, and what is checked next. The node's agent writes it.")]
[GenericAdditionalPrinterColumn(".spec.nodeName", "Node", "string")]
[GenericAdditionalPrinterColumn(".spec.modelRef.name", "Model", "string")]
[GenericAdditionalPrinterColumn(".status.result", "Result", "string")]
[GenericAdditionalPrinterColumn(".status.reason", "Reason", "string")]
[GenericAdditionalPrinterColumn(".status.lastCheckTime", "Checked", "date")]
[GenericAdditionalPrinterColumn(".status.lastDeepTime", "Deep", "date")]
[GenericAdditionalPrinterColumn(".metadata.creationTimestamp", "Age", "date")]
[GenericAdditionalPrinterColumn(".spec.modelRef.namespace", "Namespace", "string", Priority = PrinterColumnPriority.WideView)]
[GenericAdditionalPrinterColumn(".status.oldestProofTime", "Proven", "date", Priority = PrinterColumnPriority.WideView)]
[GenericAdditionalPrinterColumn(".status.findings[0].path", "File", "string", Priority = PrinterColumnPriority.WideView)]
[GenericAdditionalPrinterColumn(".status.message", "Message", "string", Priority = PrinterColumnPriority.WideView)]
public sealed class ModelIntegrityCheck : CustomKubernetesEntity<ModelIntegrityCheckSpec, ModelIntegrityCheckStatus>
{
    /// <summary>The kind.</summary>
    public const string KindName = "ModelIntegrityCheck";

    /// <summary>The plural of the URL.</summary>
    public const string Plural = "modelintegritychecks";

    /// <summary>An empty object that knows its kind.</summary>
    public ModelIntegrityCheck() => (ApiVersion, Kind) = (OmeNames.Group + "/" + OmeNames.Version, KindName);
}

/// <summary>Which files are checked, how, and how often (design 5).</summary>
[Description("Which files are checked, how, and how often. Node and model never change.")]
[ValidationRule("self.nodeName == oldSelf.nodeName", message: "nodeName is immutable: a check belongs to one node")]
[ValidationRule("self.modelRef == oldSelf.modelRef", message: "modelRef is immutable: a check belongs to one life of one model")]
public sealed class ModelIntegrityCheckSpec
{
    [Description("Name of the node whose files are checked.")]
    [Required]
    [Length(minLength: 1, maxLength: 253)]
    public string NodeName { get; set; } = "";

    [Description("The model the files belong to.")]
    [Required]
    public ModelReference ModelRef { get; set; } = new();

    [Description("The model's storageUri when this check was set up.")]
    [Length(maxLength: 4096)]
    public string? StorageUri { get; set; }

    [Description("Directory of the files on the node.")]
    [Length(maxLength: 4096)]
    public string? StoragePath { get; set; }

    [Description("Basic looks at metadata and structure, Deep also reads every byte; Off checks nothing.")]
    [EnumValues(CheckModes.Off, CheckModes.Basic, CheckModes.Deep)]
    public string? Mode { get; set; }

    [Description("Time between Basic checks, for instance 10m.")]
    [Pattern(DurationPattern)]
    [Length(maxLength: 32)]
    public string? Interval { get; set; }

    [Description("Longest time a byte may go without being read and compared, for instance 7d.")]
    [Pattern(DurationPattern)]
    [Length(maxLength: 32)]
    public string? DeepMaxAge { get; set; }

    [Description("What happens on damage: ReportOnly, Withdraw (the node stops being advertised) or WithdrawAndRepair.")]
    [EnumValues("ReportOnly", "Withdraw", "WithdrawAndRepair")]
    public string? OnDamage { get; set; }

    [Description("Any new value asks for a deep check now; the current time is a good one.")]
    [Length(maxLength: 64)]
    public string? RequestedAt { get; set; }

    private const string DurationPattern = "^([0-9]+(ms|s|m|h|d))+$";
}

/// <summary>Values of the mode of a check.</summary>
public static class CheckModes
{
    public const string Off = "Off";
    public const string Basic = "Basic";
    public const string Deep = "Deep";
}

/// <summary>One life of one model.</summary>
public sealed class ModelReference
{
    [Description("BaseModel or ClusterBaseModel.")]
    [Required]
    [EnumValues(BaseModel.KindName, ClusterBaseModel.KindName)]
    public string Kind { get; set; } = "";

    [Description("Namespace of a BaseModel; absent for a ClusterBaseModel.")]
    [Length(maxLength: 63)]
    public string? Namespace { get; set; }

    [Description("Name of the model.")]
    [Required]
    [Length(minLength: 1, maxLength: 253)]
    public string Name { get; set; } = "";

    [Description("UID of the model; a model deleted and created again has another.")]
    [Length(maxLength: 64)]
    public string? Uid { get; set; }
}
