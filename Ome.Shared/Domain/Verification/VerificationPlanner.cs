using System.Collections.Immutable;
using Ome.Shared.Domain.Manifests;

namespace Ome.Shared.Domain.Verification;

/// <summary>
/// Chooses the content a pass reads: suspects, then what was asked for, then the oldest. A scheduled pass reads an even share, so that
/// everything is proven every 0.8 of the maximum age without bursts, and more when something nears that age; never more than its budget
/// plus one piece. Pure: same manifest, ledger, policy, time and seed give the same plan.
/// </summary>
public static class VerificationPlanner
{
    /// <summary>The content to read in the pass that begins now.</summary>
    /// <param name="ledger">What is proven, of which manifest.</param>
    /// <param name="policy">How often.</param>
    /// <param name="scope">How far this pass goes.</param>
    /// <param name="now">Wall-clock time.</param>
    /// <param name="seed">Of this model on this node, <see cref="FleetSpread.Seed"/>.</param>
    /// <param name="maxBytes">Most bytes of this pass, suspects aside; default what the policy's budget allows in an interval.</param>
    public static VerificationPlan Plan(
        VerificationLedger ledger, VerificationPolicy policy, CheckScope scope, DateTimeOffset now, ulong seed, long? maxBytes = null)
    {
        if (scope == CheckScope.Scheduled && policy.Mode != IntegrityMode.Deep) scope = CheckScope.Presence;
        if (scope == CheckScope.Presence && ledger.Suspects.Count == 0) return VerificationPlan.Nothing;
        var budget = scope == CheckScope.Full ? long.MaxValue : maxBytes ?? BudgetOf(policy);
        var share = ShareOf(ledger, policy, scope, now);
        var entries = ledger.Manifest.Entries;
        var first = FirstNames(entries);
        var pieces = Pieces(ledger, policy, scope, now, seed, first);
        pieces.Sort(Piece.Compare);

        // What is due or asked for is read whatever the pace. It comes out of the same share: a pass reads one or the other, never a share and
        // what is due on top of it. Where there is no share nothing is read ahead, not even a file of no bytes.
        var ahead = share - pieces.Sum(piece => piece.Reason is LookReason.Suspect or LookReason.Oldest ? 0 : piece.Bytes);
        var pacing = ahead > 0;
        var (taken, bytes, scheduled, deferred) = (new List<Piece>(), 0L, 0L, 0L);
        foreach (var piece in pieces)
        {
            if (piece.Reason == LookReason.Suspect)
            {
                taken.Add(piece);
                bytes += piece.Bytes;
                continue;
            }

            if (piece.Reason == LookReason.Oldest)
            {
                // The last piece of a share is drawn by lot with the odds of its part in it: so a model smaller than a piece is not read
                // in every pass, and the pace is right on average.
                pacing &= piece.Bytes <= ahead || Lot(seed, now) * piece.Bytes < ahead;
                if (!pacing || scheduled >= budget) continue;
                ahead -= piece.Bytes;
                pacing = ahead > 0;
            }
            else if (scheduled >= budget)
            {
                deferred += piece.Bytes;
                continue;
            }

            taken.Add(piece);
            bytes += piece.Bytes;
            scheduled += piece.Bytes;
        }

        return new VerificationPlan(Group(taken, entries, first), bytes, deferred);
    }

    private static double Lot(ulong seed, DateTimeOffset now) => StableHash.Share(StableHash.Of((ulong)now.ToUnixTimeSeconds(), seed));

    /// <summary>Bytes an even pace reads in the time since the last check.</summary>
    private static long ShareOf(VerificationLedger ledger, VerificationPolicy policy, CheckScope scope, DateTimeOffset now)
    {
        if (scope != CheckScope.Scheduled) return 0;
        var since = ledger.LastCheckAt is { } last ? now - last : policy.Interval;
        // A clock that jumped must not cause a burst, nor a standstill.
        since = since < TimeSpan.Zero ? policy.Interval : since > 2 * policy.Interval ? 2 * policy.Interval : since;
        return (long)Math.Ceiling(ledger.Manifest.TotalBytes * (since / (VerificationPolicy.ScheduledShare * policy.DeepMaxAge)));
    }

    private static long BudgetOf(VerificationPolicy policy) =>
        policy.BytesPerSecond == 0 ? long.MaxValue : (long)(policy.BytesPerSecond * policy.Interval.TotalSeconds);

    private static List<Piece> Pieces(VerificationLedger ledger, VerificationPolicy policy, CheckScope scope, DateTimeOffset now, ulong seed, int[] first)
    {
        var pieces = new List<Piece>();
        var entries = ledger.Manifest.Entries;
        var suspects = ledger.Suspects.Keys.Select(index => first[index]).ToHashSet();
        for (var i = 0; i < entries.Length; i++)
        {
            if (first[i] != i || !entries[i].HasContentDigest) continue;
            if (suspects.Contains(i))
            {
                pieces.Add(new Piece(i, -1, LookReason.Suspect, DateTimeOffset.MinValue, 0, entries[i].Size));
                continue;
            }

            if (scope == CheckScope.Presence) continue;
            var pathSeed = StableHash.Of(entries[i].Path.Value, seed);
            if (policy.Digest == PassDigest.Sha256) AddWhole(pieces, ledger, policy, now, i, pathSeed);
            else AddChunks(pieces, ledger, policy, now, i, pathSeed);
        }

        return pieces;
    }

    private static void AddChunks(List<Piece> pieces, VerificationLedger ledger, VerificationPolicy policy, DateTimeOffset now, int entry, ulong pathSeed)
    {
        var (size, chunkBytes) = (ledger.Manifest.Entries[entry].Size, ledger.Manifest.ChunkBytes);
        for (var chunk = 0; chunk < VerificationLedger.Pieces(ledger.Manifest.Entries[entry]); chunk++)
        {
            var proven = ledger.Proof(entry, chunk).Effective(now);
            var tie = StableHash.Of((ulong)chunk, pathSeed);
            var reason = ReasonOf(proven, ledger.IsOpenInFullPass(entry, chunk, now), policy, now, tie);
            pieces.Add(new Piece(entry, chunk, reason, proven, tie, Math.Min(chunkBytes, size - (chunk * chunkBytes))));
        }
    }

    private static void AddWhole(List<Piece> pieces, VerificationLedger ledger, VerificationPolicy policy, DateTimeOffset now, int entry, ulong pathSeed)
    {
        var count = VerificationLedger.Pieces(ledger.Manifest.Entries[entry]);
        var oldest = Enumerable.Range(0, count).MinBy(chunk => ledger.Proof(entry, chunk).Effective(now));
        var proven = ledger.Proof(entry, oldest).Effective(now);
        var reason = ReasonOf(proven, ledger.IsOpenInFullPass(entry, oldest, now), policy, now, pathSeed);
        pieces.Add(new Piece(entry, -1, reason, proven, pathSeed, ledger.Manifest.Entries[entry].Size));
    }

    private static LookReason ReasonOf(DateTimeOffset proven, bool requested, VerificationPolicy policy, DateTimeOffset now, ulong tie)
    {
        if (requested) return LookReason.Requested;
        if (proven == DateTimeOffset.UnixEpoch) return LookReason.Unproven;
        var due = policy.DeepMaxAge * FleetSpread.DueShare(tie, 0);
        var latest = policy.DeepMaxAge - (2 * policy.Interval);
        return now - proven >= (due < latest ? due : latest) ? LookReason.Due : LookReason.Oldest;
    }

    /// <summary>For each entry, the first entry that is another name of the same inode; itself when there is none.</summary>
    private static int[] FirstNames(ImmutableArray<ManifestEntry> entries)
    {
        var first = new int[entries.Length];
        var known = new Dictionary<(ulong Device, ulong Inode), int>(entries.Length);
        for (var i = 0; i < entries.Length; i++)
        {
            var stamp = entries[i].Stamp;
            first[i] = stamp.Inode != 0 && known.TryGetValue((stamp.Device, stamp.Inode), out var other) && entries[other].Sha256 == entries[i].Sha256 ? other : i;
            if (stamp.Inode != 0) known.TryAdd((stamp.Device, stamp.Inode), i);
        }

        return first;
    }

    /// <summary>One look per file, in the order of its most urgent piece; its chunks ascending.</summary>
    private static ImmutableArray<PlannedLook> Group(List<Piece> taken, ImmutableArray<ManifestEntry> entries, int[] first)
    {
        var others = first.Index().Where(pair => pair.Item != pair.Index).ToLookup(pair => pair.Item, pair => pair.Index);
        return
        [
            .. taken.GroupBy(piece => piece.Entry).Select(group =>
            {
                var whole = group.First().Chunk < 0 || group.Count() == VerificationLedger.Pieces(entries[group.Key]);
                ImmutableArray<int> chunks = whole ? default : [.. group.Select(piece => piece.Chunk).Order()];
                return new PlannedLook([group.Key, .. others[group.Key]], chunks, group.First().Reason, group.Sum(piece => piece.Bytes));
            }),
        ];
    }

    /// <summary>A chunk, or a whole file when <paramref name="Chunk"/> is -1, and its place in the order.</summary>
    private readonly record struct Piece(int Entry, int Chunk, LookReason Reason, DateTimeOffset Proven, ulong Tie, long Bytes)
    {
        public static int Compare(Piece left, Piece other) => left.CompareTo(other);

        private int CompareTo(Piece other)
        {
            // Unproven and Due are both simply old: among them, and against Oldest, only the age orders, so that nothing starves.
            var byReason = Rank(Reason).CompareTo(Rank(other.Reason));
            if (byReason != 0) return byReason;
            var byAge = Proven.CompareTo(other.Proven);
            if (byAge != 0) return byAge;
            var byTie = Tie.CompareTo(other.Tie);
            return byTie != 0 ? byTie : (Entry, Chunk).CompareTo((other.Entry, other.Chunk));
        }

        private static int Rank(LookReason reason) => reason <= LookReason.Requested ? (int)reason : 2;
    }
}
