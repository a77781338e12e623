using KubeOps.Abstractions.Entities.Attributes;

namespace Ome.Shared.Api;

/// <summary><c>spec.storage</c> of a model (contract 1.4); only storageUri is required.</summary>
public sealed class ModelStorage
{
    /// <summary>Values of <see cref="DownloadPolicy"/>.</summary>
    public static class DownloadPolicies
    {
        /// <summary>Each model gets files of its own; what an absent policy means.</summary>
        public const string AlwaysDownload = "AlwaysDownload";

        /// <summary>A model whose artifact is already on the node links to it.</summary>
        public const string ReuseIfExists = "ReuseIfExists";
    }

    [Description("Absolute directory of the model's files on each node; serving pods mount it at the same path.")]
    public string? Path { get; set; }

    [Description("Path of a schema; kept for OME, not used here.")]
    public string? SchemaPath { get; set; }

    [Description("Options of the storage, for instance auth, region, secretKey.")]
    public Dictionary<string, string>? Parameters { get; set; }

    [Description("Name of the Secret with the credentials for the storage.")]
    public string? Key { get; set; }

    [Description("Where the files come from: hf://, oci://, local://, pvc:// or vendor://.")]
    [Required]
    public string StorageUri { get; set; } = "";

    [Description("Labels a node must have to get the files; all must be equal.")]
    [XMapType(XMapType.Atomic)]
    public Dictionary<string, string>? NodeSelector { get; set; }

    [Description("Which nodes get the files; only requiredDuringSchedulingIgnoredDuringExecution counts.")]
    public NodeAffinity? NodeAffinity { get; set; }

    [Description("Whether a copy that is already on the node may be shared. Without it: AlwaysDownload.")]
    [EnumValues(DownloadPolicies.AlwaysDownload, DownloadPolicies.ReuseIfExists)]
    public string? DownloadPolicy { get; set; }
}
