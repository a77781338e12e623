using Ome.Shared.Domain.Manifests;

namespace Ome.Shared.Domain.Verification;

/// <summary>When the bytes of a chunk were last compared, and through which route.</summary>
/// <param name="At">Wall-clock time, whole seconds: it must mean something after a reboot.</param>
/// <param name="Route">What the read proved: memory or medium.</param>
public readonly record struct ChunkProof(DateTimeOffset At, ReadRoute Route)
{
    private const int RouteBits = 2;

    public static readonly ChunkProof Never = new(DateTimeOffset.UnixEpoch, ReadRoute.Buffered);

    /// <summary>The time to count from: a stamp beyond the clock's tolerance proves nothing, one slightly ahead counts as now.</summary>
    public DateTimeOffset Effective(DateTimeOffset now) =>
        At > now + VerificationPolicy.FutureTolerance ? DateTimeOffset.UnixEpoch : At > now ? now : At;

    /// <summary>Both in one number: a ledger has one for each of very many chunks.</summary>
    internal long Packed => (At.ToUnixTimeSeconds() << RouteBits) | (long)Route;

    internal static ChunkProof Unpack(long packed) => new(DateTimeOffset.FromUnixTimeSeconds(packed >> RouteBits), (ReadRoute)(packed & ((1 << RouteBits) - 1)));
}

/// <summary>A file that looked bad or drifted: looked at first in every pass until it is cleared.</summary>
/// <param name="Reason">What it looked like.</param>
/// <param name="Since">When that was first seen.</param>
/// <param name="Looks">Passes in a row that saw it.</param>
public sealed record Suspicion(FindingReason Reason, DateTimeOffset Since, int Looks);

/// <summary>
/// What has been proven of one manifest's files, and when. Mutable, for one pass at a time; saved whole by <see cref="LedgerCodec"/>.
/// There is no cursor beside it: a pass that was killed goes on where it stopped because what it proved is no longer the oldest.
/// </summary>
public sealed class VerificationLedger
{
    // Of all chunks, one file after the other, and where each file's begin.
    private readonly long[] _proofs;
    private readonly int[] _first;
    private readonly SortedDictionary<int, Suspicion> _suspects = [];
    private readonly HashSet<int> _excused = [];

    // Made when the first file is proven under another stamp than the manifest's.
    private FileStamp[]? _stamps;

    private VerificationLedger(ArtifactManifest manifest, string manifestDigest, ChunkProof first)
    {
        Manifest = manifest;
        ManifestDigest = manifestDigest;
        _first = new int[manifest.Entries.Length + 1];
        for (var i = 0; i < manifest.Entries.Length; i++) _first[i + 1] = _first[i] + Pieces(manifest.Entries[i]);
        _proofs = new long[_first[^1]];
        Array.Fill(_proofs, first.Packed);
    }

    /// <summary>What the proofs are about.</summary>
    public ArtifactManifest Manifest { get; }

    /// <summary>Identity of <see cref="Manifest"/>: a ledger of another manifest proves nothing.</summary>
    public string ManifestDigest { get; }

    /// <summary>When a check last ended.</summary>
    public DateTimeOffset? LastCheckAt { get; set; }

    /// <summary>When a pass over all content last ended.</summary>
    public DateTimeOffset? LastFullPassAt { get; private set; }

    /// <summary>Set while a pass over all content is asked for or under way: what was proven before this counts as not yet read.</summary>
    public DateTimeOffset? FullPassSince { get; private set; }

    /// <summary>By index of the manifest's entries.</summary>
    public IReadOnlyDictionary<int, Suspicion> Suspects => _suspects;

    /// <summary>A ledger that says everything was proven at once: after staging, or after a manifest was taken.</summary>
    public static VerificationLedger ProvenAt(ManifestDocument manifest, DateTimeOffset at, ReadRoute route = ReadRoute.Buffered) =>
        new(manifest.Manifest, manifest.Digest, new ChunkProof(at, route));

    /// <summary>A ledger that says nothing was ever proven: when the old one is lost or broken.</summary>
    public static VerificationLedger Unproven(ManifestDocument manifest) => new(manifest.Manifest, manifest.Digest, ChunkProof.Never);

    /// <summary>Pieces of content an entry has: its chunks, or one for a small or not yet hashed file. An empty file has one, so that it too is looked at.</summary>
    public static int Pieces(ManifestEntry entry) => Math.Max(1, entry.Chunks.Length);

    public ChunkProof Proof(int entry, int chunk) => ChunkProof.Unpack(ProofsOf(entry)[chunk]);

    /// <summary>The stamp under which the content of the whole file was last proven; a file that still has it need not be read now.</summary>
    public FileStamp ProvenStamp(int entry) => _stamps is { } stamps ? stamps[entry] : Manifest.Entries[entry].Stamp;

    /// <summary>Notes that a chunk's bytes were compared and found right.</summary>
    public void Prove(int entry, int chunk, DateTimeOffset at, ReadRoute route) => ProofsOf(entry)[chunk] = new ChunkProof(at, route).Packed;

    /// <summary>Notes that all bytes of a file were compared, while it had this stamp; clears suspicion.</summary>
    public void ProveWhole(int entry, FileStamp stamp, DateTimeOffset at, ReadRoute route)
    {
        ProofsOf(entry).Fill(new ChunkProof(at, route).Packed);
        SetProvenStamp(entry, stamp);
        _suspects.Remove(entry);
    }

    public void Suspect(int entry, FindingReason reason, DateTimeOffset now) =>
        _suspects[entry] = _suspects.TryGetValue(entry, out var known) ? known with { Reason = reason, Looks = known.Looks + 1 } : new Suspicion(reason, Whole(now), 1);

    /// <summary>
    /// Notes that a file breaks a rule of its format although its content is the manifest's: it was born so, and asking its content again in
    /// every pass would tell nothing new.
    /// </summary>
    public void Excuse(int entry) => _excused.Add(entry);

    public bool IsExcused(int entry) => _excused.Contains(entry);

    public void Clear(int entry) => _suspects.Remove(entry);

    /// <summary>
    /// Asks that everything be read again; a pass already under way is begun anew only when <paramref name="restart"/> says so. Then nothing counts that was
    /// proven before, not even within the same second, the ledger's unit of time: what is read in the first second of such a pass counts in it alone.
    /// </summary>
    public void RequestFullPass(DateTimeOffset now, bool restart = false)
    {
        // A start in the future could never be reached by the proofs of today.
        if (restart) FullPassSince = Whole(now).AddSeconds(1);
        else if (FullPassSince is not { } since || since > now.AddSeconds(1)) FullPassSince = Whole(now);
    }

    public void EndFullPass(DateTimeOffset now) => (FullPassSince, LastFullPassAt) = (null, Whole(now));

    /// <summary>True when the chunk has yet to be read in the full pass under way.</summary>
    public bool IsOpenInFullPass(int entry, int chunk, DateTimeOffset now) => FullPassSince is { } since && Proof(entry, chunk).Effective(now) < since;

    /// <summary>The oldest proof of any byte; the epoch when some byte was never proven. Null for a manifest without files.</summary>
    public DateTimeOffset? OldestProof(DateTimeOffset now) => _proofs.Length == 0 ? null : _proofs.Min(proof => ChunkProof.Unpack(proof).Effective(now));

    internal void Restore(DateTimeOffset? lastCheck, DateTimeOffset? lastFullPass, DateTimeOffset? fullPassSince) =>
        (LastCheckAt, LastFullPassAt, FullPassSince) = (lastCheck, lastFullPass, fullPassSince);

    /// <summary>One proof stands for all pieces of the file.</summary>
    internal void Restore(int entry, FileStamp? stamp, ReadOnlySpan<ChunkProof> proofs, Suspicion? suspicion)
    {
        var own = ProofsOf(entry);
        if (proofs.Length != 1 && proofs.Length != own.Length) throw new FormatException($"{proofs.Length} proofs for {own.Length} pieces");
        for (var i = 0; i < own.Length; i++) own[i] = proofs[proofs.Length == 1 ? 0 : i].Packed;
        if (stamp is { } value) SetProvenStamp(entry, value);
        if (suspicion is not null) _suspects[entry] = suspicion;
    }

    private Span<long> ProofsOf(int entry) => _proofs.AsSpan(_first[entry].._first[entry + 1]);

    private void SetProvenStamp(int entry, FileStamp stamp)
    {
        if (stamp == ProvenStamp(entry)) return;
        _stamps ??= [.. Manifest.Entries.Select(known => known.Stamp)];
        _stamps[entry] = stamp;
    }

    private static DateTimeOffset Whole(DateTimeOffset time) => DateTimeOffset.FromUnixTimeSeconds(time.ToUnixTimeSeconds());
}
