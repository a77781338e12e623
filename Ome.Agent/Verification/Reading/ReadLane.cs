using Ome.Agent.Verification.Reading.Linux;

namespace Ome.Agent.Verification.Reading;

/// <summary>One worker's part in a file's read: takes ranges, reads their blocks, digests them.</summary>
internal sealed unsafe class ReadLane : IBlockStream
{
    private readonly FileReadJob _job;
    private readonly DigestSet _digests;
    private readonly bool _chunks;
    private readonly long _chunkBytes;
    private long _position;
    private long _rangeEnd;
    private long _accepted;
    private volatile bool _stopped;

    public ReadLane(FileReadJob job, DigestSet digests)
    {
        (_job, _digests) = (job, digests);
        var request = job.Request;
        _chunks = request.AllChunks || request.Chunks.Count > 0;
        _chunkBytes = request.ChunkBytes;
        digests.Start(request.Whole, _chunks, request.Md5PartSize, job.File.Size);
        if (job.File.Size == 0) EndWhole();
    }

    public Block Read(ISystemCalls calls, byte* buffer, int capacity)
    {
        if (_stopped || (_position == _rangeEnd && !NextRange())) return default;
        // A block never crosses the end of a chunk.
        var length = (int)Math.Min(Math.Min(capacity, _chunkBytes - (_position % _chunkBytes)), _rangeEnd - _position);
        if (!_job.Budget.Take(length, _job.Stopped)) return default;
        var got = _job.File.Read(calls, buffer, length, _position, out var failedAt);
        if (got < length)
        {
            // Failed, or the file is shorter than its stamp said a moment ago.
            _job.Fail(got < 0 ? -got : Errno.ShortRead, got < 0 ? failedAt : _position + got);
            return default;
        }

        _job.Count(got);
        var block = new Block(_position, got);
        _position += got;
        return block;
    }

    public void Accept(long offset, ReadOnlySpan<byte> data)
    {
        _digests.Append(data);
        var end = offset + data.Length;
        if (_chunks && (end % _chunkBytes == 0 || end == _job.File.Size))
            _job.AddChunk((int)((end - 1) / _chunkBytes), _digests.EndChunk());
        _accepted += data.Length;
        if (_accepted == _job.File.Size) EndWhole();
    }

    public void Stop() => _stopped = true;

    private bool NextRange()
    {
        if (!_job.TakeRange(out var offset, out var length)) return false;
        (_position, _rangeEnd) = (offset, offset + length);
        return length > 0;
    }

    private void EndWhole()
    {
        if (_job.Request.Whole == WholeDigests.None) return;
        var (sha256, upstream) = _digests.EndWhole();
        _job.AddWhole(sha256, upstream);
    }
}
