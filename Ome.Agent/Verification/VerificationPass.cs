using System.Collections.Immutable;
using Ome.Agent.Verification.Reading;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Verification;

/// <summary>The state of one running check. Presence first, then structure, then content; doubts about presence settle meanwhile.</summary>
internal sealed partial class VerificationPass
{
    private const int StructureLooks = 4;

    /// <summary>Findings of one reason that a report names: the verdict needs one, people and repairs as many as they can use.</summary>
    private const int MaxFindingsPerReason = 10_000;

    private readonly CheckSubject _subject;
    private readonly CheckRequest _request;
    private readonly ArtifactRoot _root;
    private readonly CheckProbes _probes;
    private readonly TimeProvider _time;
    private readonly int _parallel;
    private readonly CancellationToken _asked;
    private readonly CancellationTokenSource _stop;
    private readonly CancellationToken _cancelled;
    private readonly ImmutableArray<ManifestEntry> _entries;
    private readonly Dictionary<int, int> _earlierLooks;
    private readonly string?[] _structure;

    // Null for a regular file that is as it was last proven: of very many files nearly all, which so cost nothing.
    private readonly FileObservation?[] _seen;

    // Guards the ledger and everything below: several reads end at once.
    private readonly Lock _gate = new();
    private readonly List<FileFinding> _findings = [];
    private readonly List<DamagedFile> _damaged = [];
    private readonly Dictionary<FindingReason, int> _found = [];
    private readonly HashSet<ReadRoute> _routes = [];
    private int _filesDone;
    private int _flickers;
    private long _bytesDone;
    private long _bytesPlanned;
    private long _bytesSinceCheckpoint;
    private long _lastCheckpoint;
    private TimeSpan _checkpointPause;

    public VerificationPass(
        CheckSubject subject, CheckRequest request, ArtifactRoot root, CheckProbes probes, TimeProvider time, int workers, CancellationToken cancelled)
    {
        (_subject, _request, _root, _probes, _time, _asked) = (subject, request, root, probes, time, cancelled);
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        _cancelled = _stop.Token;
        // Small files wait more than they read: a few more than the engine's readers keep those busy.
        _parallel = (2 * workers) + 2;
        _entries = subject.Ledger.Manifest.Entries;
        _seen = new FileObservation?[_entries.Length];
        _earlierLooks = subject.Ledger.Suspects.ToDictionary(suspect => suspect.Key, suspect => suspect.Value.Looks);
        _structure = new string?[_entries.Length];
        _lastCheckpoint = time.GetTimestamp();
        _checkpointPause = request.Policy.CheckpointInterval;
    }

    private VerificationLedger Ledger => _subject.Ledger;

    private long ChunkBytes => Ledger.Manifest.ChunkBytes;

    public async Task<CheckReport> RunAsync(DateTimeOffset startedAt, long started)
    {
        using var stop = _stop;
        var plan = VerificationPlan.Nothing;
        Task<ImmutableArray<PlannedLook>>? settling = null;
        try
        {
            if (await LookAtPresenceAsync() is { } doubts)
            {
                settling = SettleAsync(doubts);
                await LookAtStructureAsync();
                plan = Plan();
                await ReadAsync(plan.Looks);
                await ReadAsync(await settling);
            }
        }
        catch (OperationCanceledException) when (_asked.IsCancellationRequested)
        {
            Note(new FileFinding(null, FindingReason.Cancelled));
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Stopped at damage: the findings say it.
        }

        // Nobody may add findings to a report that is out.
        if (settling is not null) await ((Task)settling).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return Conclude(plan, startedAt, started);
    }

    /// <summary>Looks at every file's stamp; gives the doubts that must settle, or null when the root could not be looked through.</summary>
    private async Task<List<(int Entry, FileJudgement.Doubtful Doubt)>?> LookAtPresenceAsync()
    {
        var doubts = new List<(int, FileJudgement.Doubtful)>();
        var paths = _entries.Select(entry => entry.Path).ToArray();
        var end = await _probes.Stats.StatAsync(_root, paths, (index, seen) => TakeStat(index, seen, doubts), _cancelled);
        if (end.Failure is { } failure)
        {
            Note(new FileFinding(null, FileJudge.ReasonOf(failure.Cause), _subject.Root, Detail: failure.Errno));
            return null;
        }

        // An empty mount point where a file system should be: everything is gone at once and the device is another.
        if (_entries.Length > 0 && doubts.Count == _entries.Length && _root.Device != _entries[0].Stamp.Device && doubts.TrueForAll(doubt => doubt.Item2.Finding.Reason == FindingReason.FileMissing))
        {
            Note(new FileFinding(null, FindingReason.RootUnavailable, $"device {_entries[0].Stamp.Device}", $"device {_root.Device}", Detail: "the directory is empty and on another device"));
            return null;
        }

        Report();
        return doubts;
    }

    private void TakeStat(int index, FileSeen seen, List<(int, FileJudgement.Doubtful)> doubts)
    {
        if (seen.Other is not null || !FileJudge.IsAsProven(_entries[index], Ledger.ProvenStamp(index), seen.Stamp)) TakeChanged(index, seen.Observation, doubts);
        if (++_filesDone % 1000 == 0) Report();
    }

    private void TakeChanged(int index, FileObservation seen, List<(int, FileJudgement.Doubtful)> doubts)
    {
        _seen[index] = seen;
        var entry = _entries[index];
        switch (FileJudge.Judge(entry, Ledger.ProvenStamp(index), seen, ChunkBytes))
        {
            case FileJudgement.Doubtful { Next: SecondLook.AfterSettling } doubt:
                doubts.Add((index, doubt));
                break;
            case FileJudgement.Doubtful doubt:
                Suspect(index, doubt.Finding.Reason);
                break;
            case FileJudgement.Drifted when entry.HasContentDigest:
                Suspect(index, FindingReason.ChangedDuringCheck);
                break;
            case FileJudgement.Drifted drifted:
                Note(new FileFinding(entry.Path, FindingReason.SourceChanged, Detail: $"{drifted.Drift} changed and there is no digest to compare with"));
                break;
            case FileJudgement.Unverified unverified:
                Unverified(index, unverified.Finding);
                break;
        }
    }

    /// <summary>Waits, then looks again at what was gone or odd; gives what is back as another file and must be read.</summary>
    private async Task<ImmutableArray<PlannedLook>> SettleAsync(List<(int Entry, FileJudgement.Doubtful Doubt)> doubts)
    {
        if (doubts.Count == 0) return [];
        await Task.Delay(_request.Policy.SettleDelay, _time, _cancelled);
        var back = ImmutableArray.CreateBuilder<PlannedLook>();
        var end = await _probes.Stats.StatAsync(
            _root,
            [.. doubts.Select(doubt => _entries[doubt.Entry].Path)],
            (index, look) =>
            {
                var (entry, doubt) = doubts[index];
                var seen = look.Observation;
                var again = FileJudge.Judge(_entries[entry], Ledger.ProvenStamp(entry), seen, ChunkBytes);
                var before = _seen[entry]!;
                _seen[entry] = seen;
                if (again is FileJudgement.Drifted && _entries[entry].HasContentDigest) back.Add(new PlannedLook([entry], default, LookReason.Suspect, _entries[entry].Size));
                else Settle([entry], Confirmation.Of(_entries[entry], doubt, before, again, seen, _earlierLooks.GetValueOrDefault(entry)));
            },
            _cancelled);
        if (end.Failure is { } failure) Note(new FileFinding(null, FileJudge.ReasonOf(failure.Cause), _subject.Root, Detail: failure.Errno));
        await StopIfDamagedAsync();
        return back.ToImmutable();
    }

    private async Task LookAtStructureAsync()
    {
        var looks = Enumerable.Range(0, _entries.Length).Where(MayHaveStructure);
        await Parallel.ForEachAsync(looks, new ParallelOptions { MaxDegreeOfParallelism = StructureLooks, CancellationToken = _cancelled }, async (index, _) =>
        {
            var entry = _entries[index];
            var look = await ExamineAsync(entry.Path);
            if (look.Failure is { } failure) TakeStructureFailure(index, failure);
            else if (look.Examination is { IsBroken: true, Problem: { } problem }) await TakeBrokenAsync(index, problem.Message, problem.Offset);
        });
    }

    /// <summary>One look; again when it failed in a way that passes by itself or the file changed under it.</summary>
    private async Task<StructureLook> ExamineAsync(ArtifactPath path)
    {
        for (var attempt = 0; ; attempt++)
        {
            var look = await _probes.Structure.ExamineAsync(_root, path, StructureCheck.RoleOf(path), _cancelled);
            var passing = look.Failure is FileObservation.ChangedMeanwhile or FileObservation.Unreadable { Cause: UnreadableCause.Transient };
            if (!passing || attempt == Retries) return look;
            await Task.Delay(_request.Policy.SettleDelay / 4, _time, _cancelled);
        }
    }

    /// <summary>True for a file with rules to hold, that is as it was, and that was not born breaking them. A drifted file is read whole anyway.</summary>
    private bool MayHaveStructure(int index) =>
        StructureCheck.RoleOf(_entries[index].Path) != FileRole.Other
        && IsReadable(index)
        && !Ledger.IsExcused(index)
        && !_entries[index].Baseline.Contains(nameof(FindingReason.StructureInvalid));

    /// <summary>True for a file of the right size, whatever else changed of it.</summary>
    private bool IsReadable(int index) => _seen[index] is null || (_seen[index] is FileObservation.Present present && present.Stamp.Size == _entries[index].Size);

    private void TakeStructureFailure(int index, FileObservation failure)
    {
        _cancelled.ThrowIfCancellationRequested();
        switch (FileJudge.Judge(_entries[index], Ledger.ProvenStamp(index), failure, ChunkBytes))
        {
            case FileJudgement.Unverified unverified:
                Unverified(index, unverified.Finding);
                break;
            case FileJudgement.Doubtful { Next: SecondLook.FromMedium } doubt:
                Suspect(index, doubt.Finding.Reason);
                break;
            default:
                // It was there a moment ago: somebody is at work on it.
                Unverified(index, new FileFinding(_entries[index].Path, FindingReason.ChangedDuringCheck));
                break;
        }
    }

    /// <summary>Where a digest exists it decides; else a second look at the same bytes does.</summary>
    private async Task TakeBrokenAsync(int index, string message, long? offset)
    {
        _structure[index] = message;
        if (_entries[index].HasContentDigest)
        {
            Suspect(index, FindingReason.StructureInvalid);
            return;
        }

        var again = await _probes.Structure.ExamineAsync(_root, _entries[index].Path, StructureCheck.RoleOf(_entries[index].Path), _cancelled);
        if (again.Examination is { IsBroken: true })
        {
            Damage([index], new FileFinding(_entries[index].Path, FindingReason.StructureInvalid, Offset: offset, Detail: message), []);
            await StopIfDamagedAsync();
        }
        else
        {
            Unverified(index, new FileFinding(_entries[index].Path, FindingReason.ChangedDuringCheck, Detail: message));
        }
    }

    private VerificationPlan Plan()
    {
        var now = _time.GetUtcNow();
        lock (_gate)
        {
            if (_request.Scope == CheckScope.Full) Ledger.RequestFullPass(now);
            var plan = VerificationPlanner.Plan(Ledger, _request.Policy, _request.Scope, now, _subject.Seed, _request.MaxBytes);
            _bytesPlanned += plan.Bytes;
            return plan;
        }
    }

    private CheckReport Conclude(VerificationPlan plan, DateTimeOffset startedAt, long started)
    {
        lock (_gate)
        {
            var now = _time.GetUtcNow();
            var verdict = VerdictRules.Conclude(_findings, _entries.Length);
            var complete = _findings.TrueForAll(finding => finding.Reason.IsDamage());
            var ended = complete && _request.Scope == CheckScope.Full && !_stop.IsCancellationRequested;
            if (ended) Ledger.EndFullPass(now);
            if (complete) Ledger.LastCheckAt = now;
            _request.Checkpoint?.Invoke(Ledger);
            ReadRoute? route = _routes.Count switch { 0 => null, 1 => _routes.First(), _ => ReadRoute.Mixed };
            var mode = _request.Scope == CheckScope.Full || (_request.Scope == CheckScope.Scheduled && _bytesDone > 0) ? CheckMode.Deep : CheckMode.Basic;
            return new CheckReport(
                verdict, mode, _filesDone, _bytesDone, plan.Deferred, route, _flickers, [.. _damaged.OrderBy(file => file.Finding.Path?.Value, StringComparer.Ordinal)],
                Ledger.OldestProof(now), ended, startedAt, _time.GetElapsedTime(started));
        }
    }

    private void Suspect(int index, FindingReason reason)
    {
        lock (_gate) Ledger.Suspect(index, reason, _time.GetUtcNow());
    }

    private void Note(FileFinding finding)
    {
        lock (_gate) Add(finding);
    }

    /// <summary>False when so many of its kind are kept already that it was only counted.</summary>
    private bool Add(FileFinding finding)
    {
        _found[finding.Reason] = _found.GetValueOrDefault(finding.Reason) + 1;
        var isKept = _found[finding.Reason] <= MaxFindingsPerReason;
        if (isKept) _findings.Add(finding);
        _request.Found?.Invoke(finding);
        return isKept;
    }

    /// <summary>Could not verify this file: said so, and looked at first in the next check.</summary>
    private void Unverified(int index, FileFinding finding)
    {
        lock (_gate)
        {
            Add(finding);
            if (finding.Reason != FindingReason.Cancelled) Ledger.Suspect(index, finding.Reason, _time.GetUtcNow());
        }
    }

    private void Damage(ImmutableArray<int> names, FileFinding finding, ImmutableArray<int> chunks)
    {
        lock (_gate)
        {
            foreach (var index in names)
            {
                var named = finding with { Path = _entries[index].Path };
                if (Add(named)) _damaged.Add(new DamagedFile(named, chunks));
                Ledger.Suspect(index, finding.Reason, _time.GetUtcNow());
            }
        }
    }

    /// <summary>Where one damaged file is enough, the rest of the reading is spared.</summary>
    private async Task StopIfDamagedAsync()
    {
        bool enough;
        lock (_gate) enough = _request.StopAtDamage && _damaged.Count > 0;
        if (enough) await _stop.CancelAsync();
    }

    /// <summary>What became of a doubt, for all names of the file.</summary>
    private void Settle(ImmutableArray<int> names, Confirmation confirmation)
    {
        if (confirmation.Flicker) Interlocked.Increment(ref _flickers);
        if (confirmation.Finding is not { } finding)
        {
            lock (_gate)
            {
                foreach (var index in names) Ledger.Clear(index);
            }
        }
        else if (finding.Reason.IsDamage())
        {
            Damage(names, finding, confirmation.Chunks);
        }
        else
        {
            foreach (var index in names) Unverified(index, finding with { Path = _entries[index].Path });
        }

        Report();
    }

    private void Report() => _request.Progress?.Invoke(
        new CheckProgress(_filesDone, _entries.Length, Interlocked.Read(ref _bytesDone), Interlocked.Read(ref _bytesPlanned), Findings()));

    private int Findings()
    {
        lock (_gate) return _found.Values.Sum();
    }
}
