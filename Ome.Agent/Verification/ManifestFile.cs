using System.Diagnostics.CodeAnalysis;
using Ome.Agent.Files;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Verification;

/// <summary>What loading a manifest gave. A manifest that cannot be read means "could not verify", never "damaged".</summary>
public abstract record ManifestLoad
{
    private ManifestLoad()
    {
    }

    public sealed record Loaded(ManifestDocument Document) : ManifestLoad;

    /// <summary>There is none, or none that can be trusted.</summary>
    /// <param name="Reason"><see cref="FindingReason.ManifestMissing"/>, <see cref="FindingReason.ManifestInvalid"/> or <see cref="FindingReason.SourceChanged"/>.</param>
    /// <param name="Message">Why, with the path.</param>
    public sealed record Unusable(FindingReason Reason, string Message) : ManifestLoad;
}

/// <summary>A manifest on disk: whole or absent, also after a power cut.</summary>
public static class ManifestFile
{
    public const string FileName = "manifest";

    /// <summary>Largest manifest that is read: room for about two million files.</summary>
    public const int MaxBytes = 1 << 30;

    /// <summary>Durable when it returns.</summary>
    /// <exception cref="IOException">It could not be written; the old one stands.</exception>
    public static void Save(string path, ArtifactManifest manifest)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        AtomicFile.Write(path, ManifestCodec.Write(manifest));
    }

    /// <summary>Loads it; with <paramref name="expected"/>, one of another source is <see cref="FindingReason.SourceChanged"/>.</summary>
    public static ManifestLoad Load(string path, SourceIdentity? expected = null)
    {
        try
        {
            if (!File.Exists(path)) return new ManifestLoad.Unusable(FindingReason.ManifestMissing, $"there is no manifest at {path}");
            using var file = AtomicFile.OpenRead(path, MaxBytes);
            if (file is null) return new ManifestLoad.Unusable(FindingReason.ManifestInvalid, $"{path} is larger than {MaxBytes} bytes");
            if (ManifestCodec.TryRead(file, expected, out var document, out var problem)) return new ManifestLoad.Loaded(document);
            var reason = problem.Refusal == SealRefusal.OtherSubject ? FindingReason.SourceChanged : FindingReason.ManifestInvalid;
            return new ManifestLoad.Unusable(reason, $"{path}: {problem.Message}");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return new ManifestLoad.Unusable(FindingReason.ManifestInvalid, $"{path} could not be read: {error.Message}");
        }
    }
}

/// <summary>A ledger on disk. A lost or broken one costs a re-read of everything, oldest first and within budget; it proves nothing and accuses nothing.</summary>
public static class LedgerFile
{
    public const string FileName = "ledger";

    /// <summary>Durable when it returns.</summary>
    /// <exception cref="IOException">It could not be written; the old one stands.</exception>
    public static void Save(string path, VerificationLedger ledger) => AtomicFile.Write(path, LedgerCodec.Write(ledger));

    /// <summary>Loads the ledger of <paramref name="manifest"/>; false and why when there is none that can be trusted.</summary>
    public static bool TryLoad(
        string path, ManifestDocument manifest, [NotNullWhen(true)] out VerificationLedger? ledger, [NotNullWhen(false)] out string? problem)
    {
        (ledger, problem) = (null, null);
        try
        {
            using var file = AtomicFile.OpenRead(path, ManifestFile.MaxBytes);
            if (file is null) problem = $"there is no ledger at {path}";
            else if (!LedgerCodec.TryRead(file, manifest, out ledger, out var seal)) problem = $"{path}: {seal.Message}";
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            problem = $"{path} could not be read: {error.Message}";
        }

        return ledger is not null;
    }

    /// <summary>The ledger there is, else one in which nothing is proven.</summary>
    public static VerificationLedger LoadOrStart(string path, ManifestDocument manifest, out string? problem) =>
        TryLoad(path, manifest, out var ledger, out problem) ? ledger : VerificationLedger.Unproven(manifest);
}
