namespace Ome.Shared.Domain;

/// <summary>Every text of the wire that has a name: API group, labels, annotations, finalizers, ConfigMap marks. Each once.</summary>
public static class OmeNames
{
    /// <summary>API group of all kinds (contract 1.1).</summary>
    public const string Group = "ome.io";

    /// <summary>Served and stored version (contract 1.1).</summary>
    public const string Version = "v1beta1";

    /// <summary>Namespace of the node ConfigMaps when nothing else is configured (contract 2.1).</summary>
    public const string DefaultNamespace = "ome";

    /// <summary>Finalizer on BaseModel (contract 2.1).</summary>
    public const string BaseModelFinalizer = "basemodels.ome.io/finalizer";

    /// <summary>Finalizer on ClusterBaseModel (contract 2.1).</summary>
    public const string ClusterBaseModelFinalizer = "clusterbasemodels.ome.io/finalizer";

    /// <summary>Prefix of the node labels that schedule serving pods (contract 2.3).</summary>
    public const string NodeLabelPrefix = "models.ome.io/";

    /// <summary>Label that marks a ConfigMap as a node report (contract 2.1).</summary>
    public const string ReportLabel = "models.ome/basemodel-status";

    /// <summary>The only value of <see cref="ReportLabel"/> that counts; case-sensitive.</summary>
    public const string ReportLabelValue = "true";

    /// <summary>Label selector for all node reports.</summary>
    public const string ReportSelector = ReportLabel + "=" + ReportLabelValue;

    /// <summary>Label with the node name on a node report; left out when the name is longer than a label value may be (contract 2.1).</summary>
    public const string ReportNodeLabel = "node";

    /// <summary>Annotation with the node name on a node report (contract 2.1).</summary>
    public const string NodeNameAnnotation = "models.ome.io/node-name";

    /// <summary>Annotation naming the writer of a node report (contract 2.1).</summary>
    public const string ManagedByAnnotation = "models.ome.io/managed-by";

    /// <summary>Value of <see cref="ManagedByAnnotation"/>.</summary>
    public const string ManagedByValue = "model-agent";

    /// <summary>Label on a model that keeps its files when the model goes; value <c>true</c> in any letter case (contract 2.1).</summary>
    public const string ReserveArtifactLabel = "models.ome/reserve-model-artifact";

    /// <summary>Annotation on a model that leaves its configuration unparsed; value <c>true</c> in any letter case (contract 2.1).</summary>
    public const string SkipConfigParsingAnnotation = "ome.oracle.com/skip-config-parsing";

    /// <summary>The name OME's documentation gives <see cref="SkipConfigParsingAnnotation"/>; honoured as well.</summary>
    public const string SkipConfigParsingAlias = "ome.io/skip-config-parsing";

    /// <summary>Instance type of a node, current and former name (contract 2.1).</summary>
    public const string InstanceTypeLabel = "node.kubernetes.io/instance-type";

    /// <inheritdoc cref="InstanceTypeLabel"/>
    public const string InstanceTypeLabelOld = "beta.kubernetes.io/instance-type";

    /// <summary>Per-model integrity settings over the agent's defaults (design 5): <c>Basic</c>, <c>Deep</c> or <c>Off</c>.</summary>
    public const string IntegrityModeAnnotation = "ome.io/integrity-mode";

    /// <summary>Time between Basic checks of one model, e.g. <c>10m</c> (design 5).</summary>
    public const string IntegrityIntervalAnnotation = "ome.io/integrity-interval";

    /// <summary>Oldest age of the last full read of each byte, e.g. <c>7d</c> (design 5).</summary>
    public const string IntegrityDeepMaxAgeAnnotation = "ome.io/integrity-deep-max-age";

    /// <summary><c>ReportOnly</c>, <c>Withdraw</c> or <c>WithdrawAndRepair</c> (design 7).</summary>
    public const string IntegrityOnDamageAnnotation = "ome.io/integrity-on-damage";

    /// <summary>Any new value asks every node for a deep check now (design 5).</summary>
    public const string VerifyNowAnnotation = "ome.io/verify-now";

    /// <summary>How urgent a model's staging is: a whole number from -1000 to 1000, larger first (docs/designs/0010).</summary>
    public const string StagingPriorityAnnotation = "ome.io/staging-priority";

    /// <summary>Label on a ModelIntegrityCheck: its node, shortened with a hash when longer than 63 (design 5).</summary>
    public const string CheckNodeLabel = "models.ome.io/node";

    /// <summary>Label on a ModelIntegrityCheck: its ConfigMap key, shortened with a hash when longer than 63 (design 5).</summary>
    public const string CheckKeyLabel = "models.ome.io/key";

    /// <summary>Longest Kubernetes object name and longest ConfigMap key.</summary>
    public const int MaxNameLength = 253;

    /// <summary>Longest label value.</summary>
    public const int MaxLabelValueLength = 63;
}
