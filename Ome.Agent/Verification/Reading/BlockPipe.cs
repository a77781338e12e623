using System.Runtime.ExceptionServices;
using Ome.Agent.Verification.Reading.Linux;

namespace Ome.Agent.Verification.Reading;

/// <summary>A piece of a file in a buffer; length 0 ends the stream.</summary>
internal readonly record struct Block(long Offset, int Length);

/// <summary>Where blocks come from and go to. Read is called by one thread, Accept by one, in the same order.</summary>
internal unsafe interface IBlockStream
{
    Block Read(ISystemCalls calls, byte* buffer, int capacity);

    void Accept(long offset, ReadOnlySpan<byte> data);

    /// <summary>Accept failed: the next Read ends the stream.</summary>
    void Stop();
}

/// <summary>
/// A worker's way from disk to digest. Where other workers keep the disk busy one thread does both, a block at a time; for a digest of a whole
/// file, which no other worker can help with, a second thread reads ahead while this one hashes.
/// </summary>
internal sealed unsafe class BlockPipe(WatchedCalls readerCalls, bool background) : IDisposable
{
    /// <summary>Bytes of a cached file read and hashed at a time on one thread: they stay in its L2 cache in between.</summary>
    private const int CachedBlock = 512 * 1024;

    private readonly AlignedBuffers _buffers = new();
    private readonly Block[] _ring = new Block[AlignedBuffers.Count];
    private readonly SemaphoreSlim _free = new(AlignedBuffers.Count);
    private readonly SemaphoreSlim _filled = new(0);
    private readonly SemaphoreSlim _start = new(0);
    private Thread? _reader;
    private IBlockStream? _stream;
    private ExceptionDispatchInfo? _fault;
    private int _next;

    public DigestSet Digests { get; } = new();

    /// <summary>How long the reader thread's call has lasted.</summary>
    public TimeSpan InCall => readerCalls.InCall;

    /// <summary>Reads and hashes on the calling thread, always into the same buffer.</summary>
    public void RunInline(IBlockStream stream, ISystemCalls calls, bool cached)
    {
        var buffer = _buffers[0];
        var size = cached ? CachedBlock : AlignedBuffers.Size;
        while (stream.Read(calls, buffer, size) is { Length: > 0 } block) stream.Accept(block.Offset, new ReadOnlySpan<byte>(buffer, block.Length));
    }

    /// <summary>Hashes on the calling thread what the reader thread reads ahead.</summary>
    public void RunOverlapped(IBlockStream stream)
    {
        _stream = stream;
        if (_reader is null)
        {
            _reader = new Thread(ReadAhead, 256 * 1024) { IsBackground = true, Name = "ome-read-ahead" };
            _reader.Start();
        }

        _start.Release();
        ExceptionDispatchInfo? fault = null;
        for (var more = true; more;)
        {
            _filled.Wait();
            var block = _ring[_next];
            more = block.Length > 0;
            try
            {
                if (more && fault is null) stream.Accept(block.Offset, new ReadOnlySpan<byte>(_buffers[_next], block.Length));
            }
            catch (Exception exception)
            {
                // The reader must come to its end before this stream may be left.
                fault = ExceptionDispatchInfo.Capture(exception);
                stream.Stop();
            }

            _next = (_next + 1) % AlignedBuffers.Count;
            _free.Release();
        }

        fault ??= _fault;
        _fault = null;
        fault?.Throw();
    }

    public void Dispose()
    {
        _stream = null;
        _start.Release();
        _reader?.Join();
        _buffers.Dispose();
        _free.Dispose();
        _filled.Dispose();
        _start.Dispose();
        Digests.Dispose();
    }

    private void ReadAhead()
    {
        if (background) ReaderPriority.Lower();
        var slot = 0;
        while (true)
        {
            _start.Wait();
            if (_stream is not { } stream) return;
            Block block;
            do
            {
                _free.Wait();
                try
                {
                    block = stream.Read(readerCalls, _buffers[slot], AlignedBuffers.Size);
                }
                catch (Exception exception)
                {
                    _fault = ExceptionDispatchInfo.Capture(exception);
                    block = default;
                }

                _ring[slot] = block;
                slot = (slot + 1) % AlignedBuffers.Count;
                _filled.Release();
            }
            while (block.Length > 0);
        }
    }
}
