using System.Collections.Immutable;
using Ome.Agent.Verification.Reading;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Verification;

/// <summary>Reading content: what is planned, in pieces small enough to save progress between them, and a second time what looks bad.</summary>
internal sealed partial class VerificationPass
{
    /// <summary>Most bytes of one read: what a kill can cost beyond the checkpoint interval.</summary>
    private const long MaxReadBytes = 128L << 20;

    private const int Retries = 2;

    private Task ReadAsync(ImmutableArray<PlannedLook> looks) => Parallel.ForEachAsync(
        looks.SelectMany(FilesOf).SelectMany(PiecesOf),
        new ParallelOptions { MaxDegreeOfParallelism = _parallel, CancellationToken = _cancelled },
        async (piece, _) => await ReadPieceAsync(piece.File, piece.Request));

    /// <summary>
    /// The names of a planned file, by the inode they lead to now: names that were one file when the manifest was taken may have parted since.
    /// Names that lead nowhere are doubts already.
    /// </summary>
    private IEnumerable<FileWork> FilesOf(PlannedLook look) =>
        from index in look.Entries
        where IsReadable(index)
        let stamp = (_seen[index] as FileObservation.Present)?.Stamp ?? Ledger.ProvenStamp(index)
        group index by (stamp.Device, stamp.Inode) into names
        select new FileWork([.. names], _entries[names.First()], look);

    private IEnumerable<(FileWork File, ReadRequest Request)> PiecesOf(FileWork file)
    {
        var purpose = file.Look.Reason == LookReason.Suspect ? ReadPurpose.Confirm : ReadPurpose.Routine;
        if (file.Look.Whole && _request.Policy.Digest == PassDigest.Sha256)
        {
            file.Pieces = 1;
            yield return (file, Routed(ReadRequest.WholeFile(WholeDigests.Sha256, purpose)));
            yield break;
        }

        var chunks = file.Look.Whole ? [.. Enumerable.Range(0, file.Entry.Chunks.Length)] : file.Look.Chunks;
        var size = (int)Math.Max(1, MaxReadBytes / ChunkBytes);
        file.Pieces = Math.Max(1, (chunks.Length + size - 1) / size);
        for (var i = 0; i < file.Pieces; i++)
            yield return (file, Routed(ReadRequest.SomeChunks(chunks.Skip(i * size).Take(size), purpose)));

        ReadRequest Routed(ReadRequest request) => request with { ChunkBytes = ChunkBytes, FromMedium = request.FromMedium || _request.Policy.FromMedium };
    }

    private async Task ReadPieceAsync(FileWork file, ReadRequest request)
    {
        if (file.IsDecided) return;
        var (seen, judgement) = await LookAsync(file, request);
        Count(file, seen);
        switch (judgement)
        {
            case FileJudgement.Unverified { Finding.Reason: FindingReason.Cancelled }:
                _cancelled.ThrowIfCancellationRequested();
                break;
            case FileJudgement.Unverified unverified when file.Decide():
                foreach (var index in file.Names) Unverified(index, unverified.Finding with { Path = _entries[index].Path });
                break;
            case FileJudgement.Doubtful doubt when file.Decide():
                await LookAgainAsync(file, doubt, seen);
                break;
            case FileJudgement.Sound or FileJudgement.Drifted:
                Prove(file, (FileObservation.Present)seen);
                break;
        }

        Report();
    }

    /// <summary>One look; again when it failed in a way that passes by itself or the file changed under it.</summary>
    private async Task<(FileObservation Seen, FileJudgement Judgement)> LookAsync(FileWork file, ReadRequest request)
    {
        for (var attempt = 0; ; attempt++)
        {
            var seen = await _probes.Files.ReadAsync(_root, file.Entry.Path, request, _cancelled);
            var judgement = FileJudge.Judge(file.Entry, Ledger.ProvenStamp(file.Names[0]), seen, ChunkBytes);
            var passing = judgement is FileJudgement.Unverified { Finding.Reason: FindingReason.ChangedDuringCheck or FindingReason.SourceUnavailable };
            if (!passing || attempt == Retries) return (seen, judgement);
            await Task.Delay(_request.Policy.SettleDelay / 4, _time, _cancelled);
        }
    }

    /// <summary>The second look that the doubt asks for.</summary>
    private async Task LookAgainAsync(FileWork file, FileJudgement.Doubtful doubt, FileObservation seen)
    {
        FileObservation second;
        FileJudgement judgement;
        if (doubt.Next == SecondLook.AfterSettling)
        {
            await Task.Delay(_request.Policy.SettleDelay, _time, _cancelled);
            second = _probes.Files.Stat(_root, file.Entry.Path);
            judgement = FileJudge.Judge(file.Entry, Ledger.ProvenStamp(file.Names[0]), second, ChunkBytes);
        }
        else
        {
            Interlocked.Add(ref _bytesPlanned, file.Entry.Size);
            (second, judgement) = await LookAsync(file, ReadRequest.WholeFile(WholeDigests.Sha256, ReadPurpose.Confirm) with { ChunkBytes = ChunkBytes });
            _cancelled.ThrowIfCancellationRequested();
            Count(file, second);
        }

        var earlier = file.Names.Max(index => _earlierLooks.GetValueOrDefault(index));
        var confirmation = Confirmation.Of(file.Entry, doubt, seen, judgement, second, earlier);
        if (confirmation.Finding is { Reason: FindingReason.DigestMismatch } finding && StructureOf(file) is { } broken)
            confirmation = confirmation with { Finding = finding with { Detail = finding.Detail is null ? broken : $"{finding.Detail}; {broken}" } };
        Settle(file.Names, confirmation);
        await StopIfDamagedAsync();
        if (judgement is FileJudgement.Sound && second is FileObservation.Present present && FileJudge.ProvesContent(file.Entry, present)) ProveWhole(file, present);
    }

    /// <summary>Notes the chunks that were compared, and the whole file once all its pieces were, under one stamp.</summary>
    private void Prove(FileWork file, FileObservation.Present present)
    {
        lock (_gate)
        {
            var now = _time.GetUtcNow();
            foreach (var index in file.Names)
            {
                foreach (var chunk in present.Chunks.Keys) Ledger.Prove(index, chunk, now, present.Route ?? ReadRoute.Buffered);
                // Unchanged at the first look, changed at the read: some chunks are proven, the rest must be read before the new stamp is.
                if (!file.Look.Whole && FileJudge.DriftOf(file.Entry, Ledger.ProvenStamp(index), present) is not null)
                    Ledger.Suspect(index, FindingReason.ChangedDuringCheck, now);
            }
        }

        if (file.Look.Whole && file.TakePiece(present.Stamp)) ProveWhole(file, present);
        MaybeCheckpoint();
    }

    private void ProveWhole(FileWork file, FileObservation.Present present)
    {
        lock (_gate)
        {
            foreach (var index in file.Names)
            {
                Ledger.ProveWhole(index, present.Stamp, _time.GetUtcNow(), present.Route ?? ReadRoute.Buffered);
                if (_structure[index] is not null) Ledger.Excuse(index);
            }
        }
    }

    /// <summary>Counts the bytes that a look compared, right or wrong.</summary>
    private void Count(FileWork file, FileObservation seen)
    {
        if (seen is not FileObservation.Present present) return;
        var bytes = present.Sha256 is not null ? file.Entry.Size : present.Chunks.Keys.Sum(chunk => Math.Min(ChunkBytes, file.Entry.Size - (chunk * ChunkBytes)));
        lock (_gate)
        {
            _bytesDone += bytes;
            _bytesSinceCheckpoint += bytes;
            if (present.Route is { } route) _routes.Add(route);
        }
    }

    private void MaybeCheckpoint()
    {
        lock (_gate)
        {
            if (_request.Checkpoint is null) return;
            if (_bytesSinceCheckpoint < _request.Policy.CheckpointBytes && _time.GetElapsedTime(_lastCheckpoint) < _checkpointPause) return;
            var started = _time.GetTimestamp();
            _request.Checkpoint(Ledger);
            // A ledger of very many files takes long to write: never spend more than a fiftieth of the time on it.
            var pause = 50 * _time.GetElapsedTime(started);
            _checkpointPause = pause > _request.Policy.CheckpointInterval ? pause : _request.Policy.CheckpointInterval;
            (_bytesSinceCheckpoint, _lastCheckpoint) = (0, _time.GetTimestamp());
        }
    }

    private string? StructureOf(FileWork file) => file.Names.Select(index => _structure[index]).FirstOrDefault(text => text is not null);

    /// <summary>One file being read, under all its names.</summary>
    private sealed class FileWork(ImmutableArray<int> names, ManifestEntry entry, PlannedLook look)
    {
        private readonly Lock _gate = new();
        private FileStamp? _stamp;
        private bool _parted;
        private int _taken;
        private int _decided;

        public ImmutableArray<int> Names => names;

        public ManifestEntry Entry => entry;

        public PlannedLook Look => look;

        /// <summary>Reads that make up the look.</summary>
        public int Pieces { get; set; }

        public bool IsDecided => Volatile.Read(ref _decided) == 1;

        /// <summary>True for the one who may look again and say what is wrong; the other pieces of the file add nothing.</summary>
        public bool Decide() => Interlocked.Exchange(ref _decided, 1) == 0;

        /// <summary>Counts a piece that was fine; true when it was the last and all were read under one stamp.</summary>
        public bool TakePiece(FileStamp stamp)
        {
            lock (_gate)
            {
                _parted |= _stamp is { } first && (first.MtimeNs, first.CtimeNs, first.Inode, first.Size) != (stamp.MtimeNs, stamp.CtimeNs, stamp.Inode, stamp.Size);
                _stamp = stamp;
                return ++_taken == Pieces && !_parted && !IsDecided;
            }
        }
    }
}
