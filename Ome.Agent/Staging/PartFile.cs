using System.Buffers;
using System.Globalization;
using System.IO.Hashing;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Ome.Shared.Domain.Manifests;

namespace Ome.Agent.Staging;

/// <summary>
/// The side file of one listed file, with a journal of the chunks it holds. A line of the journal is a claim, not a proof: after a restart each
/// claimed chunk is read again and counts only if its XXH128 still is the noted one, so neither needs a flush while bytes come in.
/// </summary>
internal sealed class PartFile : IDisposable
{
    private const int BlockSize = 1 << 20;

    /// <summary>
    /// Bytes after which the disk is told to begin. Told chunk by chunk it would stand idle while the first 64 MiB of each file come in, and have as much of each left to
    /// write when the last byte is there.
    /// </summary>
    private const long Stride = 8 << 20;

    private readonly StagingDisk _disk;
    private readonly string _path;
    private readonly string _journalPath;
    private readonly Lock _lock = new();
    private readonly UInt128?[] _chunks;
    private WholeDigester _whole;
    private FileStream? _journal;
    private int _catchingUp;
    private long _inOrder;

    private readonly long _floor;

    private PartFile(StagingDisk disk, string path, ArtifactFile file, SafeFileHandle handle, long floor)
    {
        (_disk, _path, _journalPath, File, Handle, _floor) = (disk, path, path + ".chunks", file, handle, floor);
        _chunks = new UInt128?[ArtifactManifest.ChunkCount(file.Size)];
        _whole = new WholeDigester(file);
    }

    public ArtifactFile File { get; }

    public SafeFileHandle Handle { get; }

    /// <summary>Chunks that are there and proven against the journal.</summary>
    public IReadOnlyList<UInt128?> Chunks => _chunks;

    /// <summary>Opens or makes the side file and proves what an earlier run left in it.</summary>
    /// <param name="disk">The file system.</param>
    /// <param name="path">Of the side file.</param>
    /// <param name="file">What it is to hold.</param>
    /// <param name="reserve">Bytes that stay free; watched chunk by chunk where the file system cannot set room aside.</param>
    /// <param name="cancellationToken">Ends the proving.</param>
    public static async Task<PartFile> OpenAsync(StagingDisk disk, string path, ArtifactFile file, long reserve, CancellationToken cancellationToken)
    {
        var claims = ReadJournal(path + ".chunks", ArtifactManifest.ChunkCount(file.Size));
        var (handle, reserved) = disk.OpenPart(path, file.Size);
        var part = new PartFile(disk, path, file, handle, reserved ? 0 : reserve);
        try
        {
            if (claims.Count > 0) await OwnThread.RunAsync(() => part.Prove(claims, cancellationToken)).ConfigureAwait(false);
            part.BeginJournal();
            return part;
        }
        catch
        {
            part.Dispose();
            throw;
        }
    }

    /// <summary>Bytes of the chunks that are there.</summary>
    public long ProvenBytes => _chunks.Index().Where(chunk => chunk.Item is not null).Sum(chunk => LengthOf(chunk.Index));

    /// <summary>Runs of missing chunks, each a first and a last index.</summary>
    public IReadOnlyList<(int First, int Last)> MissingRuns(int longest)
    {
        var runs = new List<(int First, int Last)>();
        for (var i = 0; i < _chunks.Length; i++)
        {
            if (_chunks[i] is not null) continue;
            if (runs.Count > 0 && runs[^1].Last == i - 1 && i - runs[^1].First < longest) runs[^1] = (runs[^1].First, i);
            else runs.Add((i, i));
        }

        return runs;
    }

    /// <summary>Writes bytes that came in and, when they are the next in order, takes them into the whole-file digests on the way.</summary>
    public void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        _disk.Write(Handle, bytes, offset);
        var stride = (offset + bytes.Length) / Stride;
        if (offset / Stride != stride) _disk.StartWriteback(Handle, (stride - 1) * Stride, Stride);

        // Only the one writer that stands at the head can see this: chunks behind it are done, chunks before it are not.
        if (Volatile.Read(ref _inOrder) != offset) return;
        _whole.Append(bytes);
        Volatile.Write(ref _inOrder, offset + bytes.Length);
    }

    /// <summary>Writes bytes that may yet turn out to be wrong; no digest takes them.</summary>
    public void WriteUnordered(ReadOnlySpan<byte> bytes, long offset) => _disk.Write(Handle, bytes, offset);

    /// <summary>Notes a chunk as complete.</summary>
    public void Complete(int index, UInt128 hash)
    {
        lock (_lock)
        {
            _chunks[index] = hash;
            Note(index, hash);
        }

        if (_floor > 0 && _disk.FreeBytes(Path.GetDirectoryName(_path)!) < _floor) throw StagingDisk.Full(_floor);
        _disk.StartWriteback(Handle, index * ArtifactManifest.ChunkSize, LengthOf(index));
        CatchUp(CancellationToken.None);
    }

    /// <summary>The digests of the whole; every chunk must be complete.</summary>
    public (ContentDigest Sha256, (ContentDigest Expected, ContentDigest Actual)? Mismatch) Finish(CancellationToken cancellationToken)
    {
        CatchUp(cancellationToken);
        return _whole.Position == File.Size ? _whole.Finish() : throw new InvalidOperationException($"'{File.Path}' is not complete.");
    }

    /// <summary>The alternative digest that proves the finished content, if any.</summary>
    public ContentDigest? Proof => _whole.Proof();

    /// <summary>Throws the side file and its journal away.</summary>
    public void Discard()
    {
        Dispose();
        System.IO.File.Delete(_path);
        System.IO.File.Delete(_journalPath);
    }

    public void Dispose()
    {
        _journal?.Dispose();
        Handle.Dispose();
        _whole.Dispose();
    }

    private long LengthOf(int index) => Math.Min(ArtifactManifest.ChunkSize, File.Size - (index * ArtifactManifest.ChunkSize));

    /// <summary>
    /// Chunks that came in before those ahead of them are read back here for the digests that need order; they were written moments ago and come from
    /// the page cache. One caller at a time; another leaves its chunk to it.
    /// </summary>
    private void CatchUp(CancellationToken cancellationToken)
    {
        while (IsHeadComplete() && Interlocked.Exchange(ref _catchingUp, 1) == 0)
        {
            var buffer = ArrayPool<byte>.Shared.Rent(BlockSize);
            try
            {
                while (IsHeadComplete())
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    var chunkEnd = Math.Min(File.Size, ((_inOrder / ArtifactManifest.ChunkSize) + 1) * ArtifactManifest.ChunkSize);
                    var read = RandomAccess.Read(Handle, buffer.AsSpan(0, (int)Math.Min(BlockSize, chunkEnd - _inOrder)), _inOrder);
                    if (read == 0) throw new IOException($"'{File.Path}': the side file is shorter than what was written to it");
                    _whole.Append(buffer.AsSpan(0, read));
                    Volatile.Write(ref _inOrder, _inOrder + read);
                }
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
                Volatile.Write(ref _catchingUp, 0);
            }
        }
    }

    private bool IsHeadComplete()
    {
        var head = Volatile.Read(ref _inOrder);
        if (head >= File.Size) return false;
        lock (_lock) return _chunks[head / ArtifactManifest.ChunkSize] is not null;
    }

    private void Prove(Dictionary<int, UInt128> claims, CancellationToken cancellationToken)
    {
        var hash = new XxHash128();
        var buffer = ArrayPool<byte>.Shared.Rent(BlockSize);
        try
        {
            foreach (var (index, claimed) in claims.OrderBy(claim => claim.Key))
            {
                var (position, end) = (index * ArtifactManifest.ChunkSize, (index * ArtifactManifest.ChunkSize) + LengthOf(index));
                var inOrder = position == _inOrder;
                hash.Reset();
                while (position < end)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    var read = RandomAccess.Read(Handle, buffer.AsSpan(0, (int)Math.Min(BlockSize, end - position)), position);
                    if (read == 0) break;
                    hash.Append(buffer.AsSpan(0, read));
                    if (inOrder) _whole.Append(buffer.AsSpan(0, read));
                    position += read;
                }

                if (position == end && hash.GetCurrentHashAsUInt128() == claimed)
                {
                    _chunks[index] = claimed;
                    if (inOrder) _inOrder = end;
                }
                else if (inOrder)
                {
                    // The digests have taken bytes that do not count: they begin again, later, from what is proven.
                    _whole.Dispose();
                    (_whole, _inOrder) = (new WholeDigester(File), 0);
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>The new journal takes the old one's place in one step and with all that is proven: killed in between, nothing is forgotten.</summary>
    private void BeginJournal()
    {
        var fresh = _journalPath + ".new";
        _journal = new FileStream(fresh, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
        for (var i = 0; i < _chunks.Length; i++)
        {
            if (_chunks[i] is { } hash) Note(i, hash);
        }

        _disk.Rename(fresh, _journalPath);
    }

    private void Note(int index, UInt128 hash) =>
        _journal!.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{index} {hash:x32}\n")));

    private static Dictionary<int, UInt128> ReadJournal(string path, int chunks)
    {
        var claims = new Dictionary<int, UInt128>();
        if (!System.IO.File.Exists(path)) return claims;
        foreach (var line in System.IO.File.ReadLines(path).Take(chunks * 2))
        {
            // The last line may be torn; any other text is no claim either.
            var parts = line.Split(' ');
            if (parts.Length == 2 && parts[1].Length == 32
                && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < chunks
                && UInt128.TryParse(parts[1], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var hash)) claims[index] = hash;
        }

        return claims;
    }
}
