using System.Collections.Immutable;
using Ome.Agent.Files;
using Ome.Agent.Verification.Reading;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Verification;

/// <summary>The state of one manifest being taken.</summary>
internal sealed class ManifestBuilding(ReadEngine engine, TimeProvider time, BuildRequest request, ArtifactRoot root, CancellationToken cancelled)
{
    private readonly FileProbe _files = new(engine);
    private readonly StatPass _stats = new(engine);
    private readonly StructureProbe _structure = new(engine);
    private readonly Lock _gate = new();
    private readonly List<FileFinding> _findings = [];
    private readonly List<string> _skipped = [];
    private readonly List<ManifestEntry> _entries = [];
    private readonly SortedDictionary<ArtifactPath, ImmutableSortedSet<ArtifactPath>> _indexes = [];
    private readonly HashSet<ReadRoute> _routes = [];
    private GroundTruth _truth = request.Truth;
    private long _bytes;
    private long _planned;
    private int _total;

    public async Task<ManifestBuild> RunAsync()
    {
        var found = new SortedDictionary<ArtifactPath, TreeEntry>();
        var end = await _stats.ScanAsync(root, entry => TakeEntry(entry, found), cancelled);
        cancelled.ThrowIfCancellationRequested();
        if (end.Failure is { } failure) return Finish(new FileFinding(null, FileJudge.ReasonOf(failure.Cause), request.Root, Detail: failure.Errno));
        await FindTruthAsync(found);
        foreach (var ignored in found.Keys.Where(path => BesideArtifact.Contains(path.Value)).ToList()) found.Remove(ignored);
        await ReadAllAsync(found.Keys);
        await LookForMissingAsync(found.Keys);
        CheckIndexes();
        return Finish(null);
    }

    private void TakeEntry(TreeEntry entry, SortedDictionary<ArtifactPath, TreeEntry> found)
    {
        if (entry.ArtifactPath is not { } path) _skipped.Add($"{entry.Path}: the name cannot stand in a manifest");
        else if (entry.Type is FileType.Regular or FileType.Link) found.Add(path, entry);
        else _skipped.Add($"{entry.Path}: not a regular file");
    }

    private async Task FindTruthAsync(SortedDictionary<ArtifactPath, TreeEntry> found)
    {
        var metadata = await HuggingFaceTruth.FromMetadataAsync(engine, root, found.ToDictionary(pair => pair.Key, pair => pair.Value.Stamp), cancelled);
        if (!metadata.IsEmpty && _truth.IsEmpty) _truth = metadata;
    }

    /// <summary>Groups the names by inode, then reads each inode once.</summary>
    private async Task ReadAllAsync(IReadOnlyCollection<ArtifactPath> paths)
    {
        var list = paths.ToList();
        var seen = new List<(ArtifactPath Path, FileObservation.Present Present)>();
        var end = await _stats.StatAsync(root, list, (index, observation) => TakeStat(list[index], observation.Observation, seen), cancelled);
        cancelled.ThrowIfCancellationRequested();
        if (end.Failure is { } failure) Note(new FileFinding(null, FileJudge.ReasonOf(failure.Cause), request.Root, Detail: failure.Errno));
        _total = seen.Count;
        var files = seen.GroupBy(file => (file.Present.Stamp.Device, file.Present.Stamp.Inode)).ToList();
        if (request.ReadContent) _planned = files.Sum(names => names.First().Present.Stamp.Size);
        var options = new ParallelOptions { MaxDegreeOfParallelism = (2 * engine.Workers) + 2, CancellationToken = cancelled };
        // Largest first: the last file then is a short one.
        await Parallel.ForEachAsync(files.OrderByDescending(names => names.First().Present.Stamp.Size), options, async (names, _) => await ReadFileAsync([.. names]));
    }

    private void TakeStat(ArtifactPath path, FileObservation seen, List<(ArtifactPath, FileObservation.Present)> present)
    {
        switch (seen)
        {
            case FileObservation.Present file:
                present.Add((path, file));
                break;
            case FileObservation.WrongType { Type: "directory" }:
                _skipped.Add($"{path}: a link to a directory");
                break;
            case FileObservation.BadLink bad:
                Note(new FileFinding(path, FindingReason.LinkInvalid, Actual: bad.Target, Detail: bad.Problem));
                break;
            case FileObservation.Unreadable error:
                Note(new FileFinding(path, FileJudge.ReasonOf(error.Cause), Actual: error.Errno));
                break;
            default:
                Note(new FileFinding(path, FindingReason.ChangedDuringCheck));
                break;
        }
    }

    private async Task ReadFileAsync(ImmutableArray<(ArtifactPath Path, FileObservation.Present Present)> names)
    {
        if (!request.ReadContent)
        {
            await LookOnlyAsync(names);
            return;
        }

        var expected = names.Select(name => (name.Path, Digest: ExpectedOf(name.Path, name.Present.LinkTarget))).ToList();
        var wanted = expected.Where(name => name.Digest is not null).Select(name => name.Digest!.Value).Distinct().ToImmutableArray();
        var read = await ReadAsync(names[0].Path, wanted, ReadPurpose.Stage);
        if (read is null) return;
        var wrong = expected.Where(name => name.Digest is { } digest && !Matches(digest, read)).ToList();
        if (wrong.Count > 0 && await ReadAsync(names[0].Path, wanted, ReadPurpose.Confirm) is { } again)
        {
            foreach (var (path, digest) in wrong.Where(name => !Matches(name.Digest!.Value, again)))
                Note(new FileFinding(path, FindingReason.DigestMismatch, digest!.Value.ToString(), ActualOf(digest.Value, again)));
        }

        var baseline = await ExamineAsync(names.Select(name => name.Path));
        lock (_gate)
        {
            foreach (var (path, present) in names)
            {
                var matched = expected.Where(name => name.Path == path && name.Digest is { Algorithm: not DigestAlgorithm.Sha256 } digest && Matches(digest, read)).Select(name => name.Digest!.Value);
                _entries.Add(new ManifestEntry(path, read.Stamp, present.LinkTarget, read.Sha256, [.. matched], [.. read.Chunks.Values], baseline));
            }
        }
    }

    private async Task LookOnlyAsync(ImmutableArray<(ArtifactPath Path, FileObservation.Present Present)> names)
    {
        var baseline = await ExamineAsync(names.Select(name => name.Path));
        lock (_gate) _entries.AddRange(names.Select(name => new ManifestEntry(name.Path, name.Present.Stamp, name.Present.LinkTarget, null, [], [], baseline)));
    }

    /// <summary>The file's digests, or null after the reason was noted. One that changes while it is read is tried again.</summary>
    private async Task<FileObservation.Present?> ReadAsync(ArtifactPath path, ImmutableArray<ContentDigest> wanted, ReadPurpose purpose)
    {
        const int Attempts = 3;
        for (var attempt = 1; ; attempt++)
        {
            var seen = await _files.ReadAsync(root, path, ReadRequest.ToCompareWith(wanted, purpose) with { ChunkBytes = request.ChunkBytes }, cancelled);
            cancelled.ThrowIfCancellationRequested();
            if (seen is FileObservation.Present present)
            {
                lock (_gate)
                {
                    _bytes += present.Stamp.Size;
                    if (present.Route is { } route) _routes.Add(route);
                }

                request.Progress?.Invoke(new CheckProgress(_entries.Count, _total, Interlocked.Read(ref _bytes), _planned, _findings.Count));
                return present;
            }

            if (seen is FileObservation.ChangedMeanwhile or FileObservation.Unreadable { Cause: UnreadableCause.Transient or UnreadableCause.Medium } && attempt < Attempts)
            {
                await Task.Delay(request.SettleDelay / 4, time, cancelled);
                continue;
            }

            Note(seen is FileObservation.Unreadable error
                ? new FileFinding(path, FileJudge.ReasonOf(error.Cause), Actual: error.Errno, Offset: error.Offset)
                : new FileFinding(path, FindingReason.ChangedDuringCheck));
            return null;
        }
    }

    /// <summary>What is said of the path, else what the cache's link says, else what a blob's own name says.</summary>
    private ContentDigest? ExpectedOf(ArtifactPath path, string? link) =>
        _truth.Digests.TryGetValue(path, out var digest) ? digest : HuggingFaceTruth.FromLink(link ?? path.Value);

    private static bool Matches(ContentDigest expected, FileObservation.Present read) =>
        expected == read.Sha256 || read.Upstream.Contains(expected);

    private static string? ActualOf(ContentDigest expected, FileObservation.Present read) =>
        read.Upstream.Where(digest => digest.Algorithm == expected.Algorithm).Select(digest => digest.ToString()).FirstOrDefault() ?? read.Sha256?.ToString();

    private async Task<ImmutableArray<string>> ExamineAsync(IEnumerable<ArtifactPath> names)
    {
        foreach (var path in names)
        {
            var role = StructureCheck.RoleOf(path);
            if (role == FileRole.Other) continue;
            var look = await _structure.ExamineAsync(root, path, role, cancelled);
            cancelled.ThrowIfCancellationRequested();
            if (look.Examination is { Index: { } index })
            {
                lock (_gate) _indexes[path] = index.Shards;
            }

            if (look.Examination is not { IsBroken: true, Problem: { } problem }) continue;
            Note(new FileFinding(path, FindingReason.StructureInvalid, Offset: problem.Offset, Detail: problem.Message));
            return [nameof(FindingReason.StructureInvalid)];
        }

        return [];
    }

    private async Task LookForMissingAsync(IReadOnlyCollection<ArtifactPath> found)
    {
        var missing = _truth.Digests.Keys.Where(path => !found.Contains(path) && !BesideArtifact.Contains(path.Value)).ToList();
        if (missing.Count == 0) return;
        await Task.Delay(request.SettleDelay, time, cancelled);
        await _stats.StatAsync(root, missing, (index, seen) =>
        {
            Note(seen.Other is FileObservation.Missing
                ? new FileFinding(missing[index], FindingReason.FileMissing, _truth.Digests[missing[index]].ToString(), "nothing")
                : new FileFinding(missing[index], FindingReason.ChangedDuringCheck));
        }, cancelled);
    }

    /// <summary>Every file that an index names must be there; what is not, is missing from birth on.</summary>
    private void CheckIndexes()
    {
        var present = _entries.Select(entry => entry.Path).ToHashSet();
        foreach (var (index, shards) in _indexes)
        {
            var folder = index.Value[..(index.Value.Length - index.Name.Length)];
            var absent = shards.Where(shard => ArtifactPath.TryParse(folder + shard.Value, out var path, out _) && !present.Contains(path)).ToList();
            if (absent.Count == 0) continue;
            Note(new FileFinding(index, FindingReason.IndexIncomplete, $"{shards.Count} shards", $"{shards.Count - absent.Count} present", Detail: $"'{absent[0]}' is missing"));
            var at = _entries.FindIndex(entry => entry.Path == index);
            _entries[at] = _entries[at] with { Baseline = _entries[at].Baseline.Add(nameof(FindingReason.IndexIncomplete)) };
        }
    }

    private ManifestBuild Finish(FileFinding? whole)
    {
        if (whole is not null) Note(whole);
        var verdict = _entries.Count == 0 && _findings.Count == 0
            ? Verdict.Inconclusive(FindingReason.ManifestMissing, "the directory holds no files")
            : VerdictRules.Conclude(_findings, _entries.Count);
        var readable = _findings.TrueForAll(finding => finding.Reason is FindingReason.StructureInvalid or FindingReason.IndexIncomplete or FindingReason.DigestMismatch
            or FindingReason.FileMissing or FindingReason.LinkInvalid);
        var unlisted = _entries.Count(entry => ExpectedOf(entry.Path, entry.LinkTarget) is null);
        if (_truth.IsEmpty && unlisted < _entries.Count) _truth = _truth with { Name = "Hugging Face cache", Revision = Path.GetFileName(request.Root) };
        var upstream = request.ReadContent && _entries.Count > 0 && unlisted == 0 && verdict.Result == CheckResult.Valid;
        var source = request.Source with { Revision = request.Source.Revision ?? _truth.Revision };
        var manifest = request.ReadContent && readable && _entries.Count > 0
            ? new ArtifactManifest(source, upstream ? ManifestTrust.Upstream : ManifestTrust.Local, time.GetUtcNow(), _entries, request.ChunkBytes)
            : null;
        ReadRoute? route = _routes.Count switch { 0 => null, 1 => _routes.First(), _ => ReadRoute.Mixed };
        return new ManifestBuild(manifest, verdict, _truth, unlisted, [.. _skipped.Order(StringComparer.Ordinal)], [.. _entries], _bytes, route);
    }

    private void Note(FileFinding finding)
    {
        lock (_gate)
        {
            _findings.Add(finding);
            request.Found?.Invoke(finding);
        }
    }
}
