namespace Ome.Shared.Domain.Models;

/// <summary>The few fields of a model object that we act on. Reading an entity into this never fails; what is wrong is said where it is used.</summary>
public sealed record ModelSpec
{
    private static readonly Dictionary<string, string> None = new(StringComparer.Ordinal);

    /// <summary>Which model.</summary>
    public required ModelKey Key { get; init; }

    /// <summary>UID of the object: a model deleted and created again under its name is another model.</summary>
    public string Uid { get; init; } = string.Empty;

    /// <summary><c>metadata.generation</c> this was read from.</summary>
    public long Generation { get; init; }

    /// <summary>The object waits for its finalizers.</summary>
    public bool IsDeleting { get; init; }

    /// <summary><c>spec.storage.storageUri</c> as written; empty when missing (contract 1.4).</summary>
    public required string StorageUri { get; init; }

    /// <summary><c>spec.storage.path</c>: null when absent, which is not the same as empty (contract 4.7).</summary>
    public string? StoragePath { get; init; }

    /// <summary><c>spec.storage.parameters</c>: <c>auth</c>, <c>region</c>, <c>secretKey</c>, <c>token</c>. May hold a secret: never logged.</summary>
    public IReadOnlyDictionary<string, string> Parameters { get; init; } = None;

    /// <summary><c>spec.storage.key</c>: name of the Secret with credentials.</summary>
    public string? SecretName { get; init; }

    /// <summary><c>spec.storage.nodeSelector</c>.</summary>
    public IReadOnlyDictionary<string, string> NodeSelector { get; init; } = None;

    /// <summary><c>spec.storage.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution</c>; null when not given.</summary>
    public IReadOnlyList<NodeTerm>? RequiredTerms { get; init; }

    /// <summary><c>spec.storage.downloadPolicy</c>; absent means <see cref="Models.DownloadPolicy.AlwaysDownload"/>.</summary>
    public DownloadPolicy DownloadPolicy { get; init; }

    /// <summary><c>spec.modelFormat.name</c>; empty means unset (contract 1.3).</summary>
    public string FormatName { get; init; } = string.Empty;

    /// <summary><c>spec.additionalMetadata.type</c>, default <c>Serving</c> (contract 4.4).</summary>
    public string Role { get; init; } = DefaultRole;

    /// <summary>The reserve label: files stay when the model goes (contract 2.1).</summary>
    public bool KeepsFiles { get; init; }

    /// <summary>The author asked to leave <c>config.json</c> unread (contract 2.1).</summary>
    public bool SkipsConfigParsing { get; init; }

    /// <summary>How urgent its staging is, larger first; 0 when not annotated, or not with a number.</summary>
    public int StagingPriority { get; init; }

    /// <summary>What was annotated as priority and is none; null when it is one, or nothing was.</summary>
    public string? BadStagingPriority { get; init; }

    /// <summary>Per-model integrity annotations, as written.</summary>
    public IntegrityAnnotations Integrity { get; init; } = IntegrityAnnotations.None;

    /// <summary>Role of a model that names none.</summary>
    public const string DefaultRole = "Serving";
}

/// <summary>What to do when the same artifact is on the node already (contract 1.4).</summary>
public enum DownloadPolicy
{
    /// <summary>Fetch own files.</summary>
    AlwaysDownload,

    /// <summary>Link to an equal artifact when one is there.</summary>
    ReuseIfExists,
}

/// <summary>The <c>ome.io/integrity-*</c> annotations as written; null where absent. The verification policy checks and applies them (design 5).</summary>
public sealed record IntegrityAnnotations(string? Mode, string? Interval, string? DeepMaxAge, string? OnDamage, string? VerifyNow)
{
    /// <summary>Nothing annotated.</summary>
    public static IntegrityAnnotations None { get; } = new(null, null, null, null, null);
}

/// <summary>One term of a required node affinity: all its expressions and all its fields must hold.</summary>
/// <param name="Expressions">Requirements on labels.</param>
/// <param name="Fields">Requirements on fields; Kubernetes knows only <c>metadata.name</c>.</param>
public sealed record NodeTerm(IReadOnlyList<NodeRequirement> Expressions, IReadOnlyList<NodeRequirement> Fields);

/// <summary>One requirement of a node term.</summary>
/// <param name="Key">Label key or field name.</param>
/// <param name="Operator"><c>In</c>, <c>NotIn</c>, <c>Exists</c>, <c>DoesNotExist</c>, <c>Gt</c>, <c>Lt</c>; any other text never matches.</param>
/// <param name="Values">Values; empty for Exists and DoesNotExist.</param>
public sealed record NodeRequirement(string Key, string Operator, IReadOnlyList<string> Values);
