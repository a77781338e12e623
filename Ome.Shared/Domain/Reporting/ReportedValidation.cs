using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ome.Shared.Domain.Reporting;

/// <summary>Outcome of an integrity check as a node reports it (design 6, names as in OME's own proposal OEP-0011). All members are optional.</summary>
public sealed record ReportedValidation
{
    /// <summary><c>Basic</c> or <c>Deep</c>.</summary>
    [JsonPropertyName("mode")]
    [JsonPropertyOrder(0)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Mode { get; init => field = Text.OrNull(value); }

    /// <summary>One of <see cref="ValidationResults"/>.</summary>
    [JsonPropertyName("result")]
    [JsonPropertyOrder(1)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Result { get; init => field = Text.OrNull(value); }

    /// <summary>A word of the closed set of design 7, e.g. <c>FileMissing</c>.</summary>
    [JsonPropertyName("reason")]
    [JsonPropertyOrder(2)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Reason { get; init => field = Text.OrNull(value); }

    /// <summary>A phrase for people, e.g. <c>model-00002-of-00004.safetensors is missing</c>; never a secret.</summary>
    [JsonPropertyName("message")]
    [JsonPropertyOrder(3)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Message { get; init => field = Text.OrNull(value); }

    /// <summary>End of the newest check that changed this block; whole seconds, UTC.</summary>
    [JsonPropertyName("lastCheckedTime")]
    [JsonPropertyOrder(4)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    [JsonConverter(typeof(WireTimeOrNull))]
    public DateTimeOffset? LastCheckedTime { get; init; }

    /// <summary>When the byte that waited longest was last proven; null before the first full pass (ours, additive).</summary>
    [JsonPropertyName("oldestProofTime")]
    [JsonPropertyOrder(5)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    [JsonConverter(typeof(WireTimeOrNull))]
    public DateTimeOffset? OldestProofTime { get; init; }

    /// <summary>Files looked at in that check.</summary>
    [JsonPropertyName("filesChecked")]
    [JsonPropertyOrder(6)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? FilesChecked { get; init; }

    /// <summary>Bytes read in that check.</summary>
    [JsonPropertyName("bytesChecked")]
    [JsonPropertyOrder(7)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? BytesChecked { get; init; }

    /// <summary>Digest over the manifest the check held the files against.</summary>
    [JsonPropertyName("manifestDigest")]
    [JsonPropertyOrder(8)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ManifestDigest { get; init => field = Text.OrNull(value); }

    /// <summary><c>metadata.generation</c> of the model the check was made for.</summary>
    [JsonPropertyName("observedGeneration")]
    [JsonPropertyOrder(9)]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? ObservedGeneration { get; init; }

    /// <summary>Members we do not know.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Unknown { get; set; }

    /// <summary>The check found confirmed damage, whatever the node still advertises.</summary>
    [JsonIgnore]
    public bool IsDamaged => Result == ValidationResults.Invalid;
}

/// <summary>The words of <see cref="ReportedValidation.Result"/>: damaged and could-not-look are different answers.</summary>
public static class ValidationResults
{
    /// <summary>Checked and intact.</summary>
    public const string Valid = "Valid";

    /// <summary>Confirmed damage.</summary>
    public const string Invalid = "Invalid";

    /// <summary>Could not be verified; never a reason to withdraw.</summary>
    public const string Inconclusive = "Inconclusive";

    /// <summary>Not checked yet.</summary>
    public const string Pending = "Pending";
}
