using KubeOps.Abstractions.Entities.Attributes;

namespace Ome.Shared.Api;

/// <summary>What was last proven (design 5). Written when something changes, else at most hourly.</summary>
[Description("What was last proven about the files, and what is checked next.")]
public sealed class ModelIntegrityCheckStatus
{
    /// <summary>Most findings that are listed; the message counts the others.</summary>
    public const int MaxFindings = 16;

    /// <summary>Values of <see cref="Result"/>.</summary>
    public static class Results
    {
        /// <summary>Everything looked at is as it was when the model became ready.</summary>
        public const string Valid = "Valid";

        /// <summary>Damage was found and confirmed.</summary>
        public const string Invalid = "Invalid";

        /// <summary>It could not be told; never a reason to withdraw.</summary>
        public const string Inconclusive = "Inconclusive";

        /// <summary>Not checked yet.</summary>
        public const string Pending = "Pending";
    }

    [Description("Valid, Invalid (proven damage), Inconclusive (could not be told) or Pending.")]
    [EnumValues(Results.Valid, Results.Invalid, Results.Inconclusive, Results.Pending)]
    public string? Result { get; set; }

    [Description("One word for the result, for instance Intact or DigestMismatch.")]
    [Length(maxLength: 64)]
    public string? Reason { get; set; }

    [Description("One sentence: what was found, where, and what happens next.")]
    [Length(maxLength: 4096)]
    public string? Message { get; set; }

    [Description("Mode of the check the result comes from: Basic or Deep.")]
    [EnumValues(CheckModes.Off, CheckModes.Basic, CheckModes.Deep)]
    public string? Mode { get; set; }

    [Description("What the files are compared with: upstream digests, or local ones taken when the model first became ready.")]
    [EnumValues("upstream", "local")]
    public string? Trust { get; set; }

    [Description("When the last check ended.")]
    public DateTimeOffset? LastCheckTime { get; set; }

    [Description("When the last complete deep pass ended.")]
    public DateTimeOffset? LastDeepTime { get; set; }

    [Description("Since when every byte has been proven at least once.")]
    public DateTimeOffset? OldestProofTime { get; set; }

    [Description("When the next check is due.")]
    public DateTimeOffset? NextCheckTime { get; set; }

    [Description("Files of the model.")]
    public long? FilesTotal { get; set; }

    [Description("Bytes of the model.")]
    public long? BytesTotal { get; set; }

    [Description("Files looked at by the last check.")]
    public long? FilesChecked { get; set; }

    [Description("Bytes read and compared by the last check.")]
    public long? BytesChecked { get; set; }

    [Description("How long the last check took, for instance 12.3s.")]
    [Length(maxLength: 32)]
    public string? Duration { get; set; }

    [Description("What is wrong, file by file; the first 16.")]
    [XListType(XListType.Atomic)]
    [Items(maxItems: MaxFindings)]
    public List<IntegrityFinding>? Findings { get; set; }

    [Description("The generation of the spec this status answers.")]
    public long? ObservedGeneration { get; set; }

    [Description("Conditions of the check.")]
    [XListType(XListType.Map)]
    [XListMapKeys("type")]
    public List<ModelCondition>? Conditions { get; set; }
}

/// <summary>One thing that is wrong with one file.</summary>
public sealed class IntegrityFinding
{
    [Description("Path of the file, relative to the model's directory.")]
    [Required]
    [Length(maxLength: 4096)]
    public string Path { get; set; } = "";

    [Description("What is wrong, from the closed set of reasons, for instance SizeMismatch.")]
    [Required]
    [Length(maxLength: 64)]
    public string Reason { get; set; } = "";

    [Description("What the manifest says.")]
    [Length(maxLength: 1024)]
    public string? Expected { get; set; }

    [Description("What was found.")]
    [Length(maxLength: 1024)]
    public string? Actual { get; set; }

    [Description("First byte known to be bad.")]
    public long? Offset { get; set; }
}
