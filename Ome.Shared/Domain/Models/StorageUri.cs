using System.Diagnostics.CodeAnalysis;

namespace Ome.Shared.Domain.Models;

/// <summary>
/// Where a model's files come from: one case per scheme (contract 4.8). <see cref="TryParse"/> gives a case or a reasoned refusal; it never throws.
/// </summary>
public abstract record StorageUri
{
    private StorageUri(string text) => Text = text;

    /// <summary>The text as the author wrote it; identity of the source on the wire.</summary>
    public string Text { get; }

    /// <summary>Scheme with its separator, e.g. <c>hf://</c>.</summary>
    public abstract string Scheme { get; }

    /// <summary>True when a node fetches or adopts files for it; false for schemes that only name a place.</summary>
    public virtual bool HasFilesOnNode => true;

    /// <summary>Parses with the grammar the agent uses (lenient for <c>oci://</c>).</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out StorageUri? uri, [NotNullWhen(false)] out StorageUriRefusal? refusal) =>
        StorageUriParser.TryParse(text, out uri, out refusal);

    /// <summary>Parses with the strict <c>oci://n/{ns}/b/{bucket}/o/{prefix}</c> grammar only.</summary>
    public static bool TryParseStrictOci(string? text, [NotNullWhen(true)] out Oci? uri, [NotNullWhen(false)] out StorageUriRefusal? refusal) =>
        StorageUriParser.TryParseStrictOci(text, out uri, out refusal);

    /// <inheritdoc/>
    public sealed override string ToString() => Text;

    /// <summary>OCI Object Storage. <paramref name="Namespace"/> and <paramref name="Region"/> are empty when the text leaves them to the client.</summary>
    public sealed record Oci(string Text, string Namespace, string Bucket, string Prefix, string Region) : StorageUri(Text)
    {
        /// <inheritdoc/>
        public override string Scheme => "oci://";
    }

    /// <summary>Hugging Face hub. <paramref name="Revision"/> is a branch, tag or commit; empty after a bare <c>@</c>.</summary>
    public sealed record HuggingFace(string Text, string ModelId, string Revision) : StorageUri(Text)
    {
        /// <summary>Revision when the text names none.</summary>
        public const string DefaultRevision = "main";

        /// <inheritdoc/>
        public override string Scheme => "hf://";

        /// <summary>The id as <c>owner/name</c>, trimmed; false for ids without exactly one owner, which have no identity on the hub (contract 4.9).</summary>
        public bool TryGetRepository([NotNullWhen(true)] out string? repository)
        {
            var id = ModelId.Trim();
            var slash = id.IndexOf('/', StringComparison.Ordinal);
            repository = slash > 0 && slash < id.Length - 1 && slash == id.LastIndexOf('/') ? id : null;
            return repository is not null;
        }
    }

    /// <summary>A persistent volume claim; no agent stages it. <paramref name="Namespace"/> is empty when not named.</summary>
    public sealed record PersistentVolumeClaim(string Text, string Namespace, string ClaimName, string SubPath) : StorageUri(Text)
    {
        /// <inheritdoc/>
        public override string Scheme => "pvc://";

        /// <inheritdoc/>
        public override bool HasFilesOnNode => false;
    }

    /// <summary>Served by a vendor; nothing to fetch, nothing to verify.</summary>
    public sealed record Vendor(string Text, string VendorName, string ResourceType, string Path) : StorageUri(Text)
    {
        /// <inheritdoc/>
        public override string Scheme => "vendor://";

        /// <inheritdoc/>
        public override bool HasFilesOnNode => false;
    }

    /// <summary>Amazon S3 or compatible. <paramref name="Region"/> and <paramref name="Prefix"/> may be empty.</summary>
    public sealed record S3(string Text, string Bucket, string Region, string Prefix) : StorageUri(Text)
    {
        /// <inheritdoc/>
        public override string Scheme => "s3://";
    }

    /// <summary>Azure Blob Storage.</summary>
    public sealed record Azure(string Text, string Account, string Container, string Blob) : StorageUri(Text)
    {
        /// <inheritdoc/>
        public override string Scheme => "az://";
    }

    /// <summary>Google Cloud Storage.</summary>
    public sealed record Gcs(string Text, string Bucket, string Object) : StorageUri(Text)
    {
        /// <inheritdoc/>
        public override string Scheme => "gs://";
    }

    /// <summary>A GitHub release.</summary>
    public sealed record GitHub(string Text, string Owner, string Repository, string Tag) : StorageUri(Text)
    {
        /// <summary>Tag when the text names none.</summary>
        public const string DefaultTag = "latest";

        /// <inheritdoc/>
        public override string Scheme => "github://";
    }

    /// <summary>Files that lie on the node already. <paramref name="Path"/> is any text; <see cref="DestinationRule"/> decides if it may be used.</summary>
    public sealed record Local(string Text, string Path) : StorageUri(Text)
    {
        /// <inheritdoc/>
        public override string Scheme => "local://";
    }
}

/// <summary>Why a storage URI was not understood.</summary>
/// <param name="Text">The text, shortened when it is very long.</param>
/// <param name="Position">Index of the first character the reason is about.</param>
/// <param name="Reason">A phrase for people; contains the words OME uses for the same refusal (contract 4.8).</param>
public sealed record StorageUriRefusal(string Text, int Position, string Reason)
{
    /// <inheritdoc/>
    public override string ToString() => $"storageUri '{Text}': {Reason} (at character {Position})";
}
