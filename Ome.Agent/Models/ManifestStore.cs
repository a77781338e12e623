using System.Collections.Concurrent;
using Ome.Agent.Files;
using Ome.Agent.Staging;
using Ome.Agent.Verification;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Models;

/// <summary>A manifest with what is proven of it.</summary>
/// <param name="Manifest">The yardstick.</param>
/// <param name="Digest">Over the manifest, as shown in reports.</param>
/// <param name="Ledger">What is proven; changed by checks, saved by <see cref="ManifestStore.SaveLedger"/>.</param>
/// <param name="LedgerProblem">Why the ledger had to begin anew; null when it did not.</param>
public sealed record ProofState(ArtifactManifest Manifest, string Digest, VerificationLedger Ledger, string? LedgerProblem);

/// <summary>Manifest and ledger of every model, beside its record.</summary>
public sealed class ManifestStore(ModelRecordStore records) : IManifestStore
{
    private readonly ConcurrentDictionary<ModelKey, ProofState> _loaded = new();

    public async Task<ArtifactManifest?> LoadAsync(ModelKey key, CancellationToken cancellationToken) =>
        await Task.Run(() => ManifestFile.Load(PathOf(key, ManifestFile.FileName)), cancellationToken) is ManifestLoad.Loaded { Document.Manifest: var manifest } ? manifest : null;

    public Task SaveAsync(ModelKey key, ArtifactManifest manifest) => Task.Run(() =>
    {
        ManifestFile.Save(PathOf(key, ManifestFile.FileName), manifest);
        _loaded.TryRemove(key, out _);
    });

    public Task DeleteAsync(ModelKey key)
    {
        _loaded.TryRemove(key, out _);
        return Task.Run(() =>
        {
            AtomicFile.Delete(PathOf(key, ManifestFile.FileName));
            AtomicFile.Delete(PathOf(key, LedgerFile.FileName));
        });
    }

    /// <summary>The manifest and ledger of a model for a check; or why there is no manifest to hold the files against.</summary>
    public (ProofState? State, ManifestLoad.Unusable? Problem) Open(ModelKey key, SourceIdentity identity)
    {
        if (_loaded.TryGetValue(key, out var known) && known.Manifest.Source.SameSpec(identity)) return (known, null);
        var (state, problem) = OpenBeside(key, identity);
        if (state is not null) _loaded[key] = state;
        return (state, problem);
    }

    /// <summary>As <see cref="Open"/>, with a ledger of its own as it was last saved: for a look beside a running check.</summary>
    public (ProofState? State, ManifestLoad.Unusable? Problem) OpenBeside(ModelKey key, SourceIdentity identity)
    {
        switch (ManifestFile.Load(PathOf(key, ManifestFile.FileName), identity))
        {
            case ManifestLoad.Loaded { Document: var document }:
                var ledger = LedgerFile.LoadOrStart(PathOf(key, LedgerFile.FileName), document, out var problem);
                return (new ProofState(document.Manifest, document.Digest, ledger, problem), null);
            case ManifestLoad.Unusable unusable:
                return (null, unusable);
            default:
                throw new InvalidOperationException("A closed set has a new case.");
        }
    }

    /// <summary>Begins a ledger that says everything was proven just now: after staging, and after a manifest was taken.</summary>
    public void BeginLedger(ModelKey key, ArtifactManifest manifest, DateTimeOffset at)
    {
        var document = new ManifestDocument(manifest, ManifestCodec.DigestOf(manifest));
        SaveLedger(key, VerificationLedger.ProvenAt(document, at));
        _loaded.TryRemove(key, out _);
    }

    /// <summary>Durable when it returns.</summary>
    public void SaveLedger(ModelKey key, VerificationLedger ledger) => LedgerFile.Save(PathOf(key, LedgerFile.FileName), ledger);

    private string PathOf(ModelKey key, string file) => Path.Combine(records.DirectoryOf(key), file);
}
