using System.Buffers.Binary;
using System.Text;
using Ome.Agent.Files;
using Ome.Agent.Verification.Reading.Linux;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Verification.Reading;

/// <summary>
/// Stat passes on the engine's threads. Memory: one directory's handle and 32 KiB of its entries at a time, plus the names of
/// directories still to be visited; never the files.
/// </summary>
public sealed class StatPass(ReadEngine engine) : IStatPass
{
    public Task<StatPassEnd> ScanAsync(ArtifactRoot root, Action<TreeEntry> visit, CancellationToken cancellationToken) =>
        RunAsync<TreeEntry>(root, visit, (calls, visits) => new TreeScan(calls, root, visits, cancellationToken).Run(), cancellationToken);

    public Task<StatPassEnd> StatAsync(
        ArtifactRoot root, IReadOnlyList<ArtifactPath> paths, Action<int, FileSeen> visit, CancellationToken cancellationToken) =>
        RunAsync<(int Index, FileSeen Seen)>(
            root, entry => visit(entry.Index, entry.Seen), (calls, visits) => new PathListScan(calls, root, cancellationToken).Run(paths, visits), cancellationToken);

    private Task<StatPassEnd> RunAsync<T>(
        ArtifactRoot root, Action<T> visit, Func<ISystemCalls, ScanVisits<T>, FileObservation.Unreadable?> body, CancellationToken cancellationToken)
    {
        var visits = new ScanVisits<T>(visit);
        return engine.CallAsync(
            root.Path,
            worker => visits.End(body(worker.Calls, visits)),
            (cause, errno) => visits.End(new FileObservation.Unreadable(cause, errno)),
            cancellationToken);
    }
}

/// <summary>Enumerates a tree with getdents64 and stats each name in its directory's handle.</summary>
internal sealed class TreeScan(ISystemCalls calls, ArtifactRoot root, ScanVisits<TreeEntry> visits, CancellationToken cancellationToken)
{
    private const int EntryBytes = 32 * 1024;

    /// <summary>Offsets in <c>struct linux_dirent64</c>.</summary>
    private const int LengthAt = 16;
    private const int TypeAt = 18;
    private const int NameAt = 19;

    /// <summary>Value of <c>d_type</c>.</summary>
    private const byte DirectoryType = 4;

    private readonly Stack<string> _pending = new();

    public FileObservation.Unreadable? Run()
    {
        var buffer = new byte[EntryBytes];
        _pending.Push("");
        while (_pending.TryPop(out var directory))
        {
            if (ScanDirectory(directory, buffer) is { } failure) return failure;
        }

        return null;
    }

    private FileObservation.Unreadable? ScanDirectory(string directory, byte[] buffer)
    {
        using var lease = root.Lease();
        var handle = directory.Length == 0 ? lease.Descriptor : calls.OpenHandle(lease.Descriptor, directory);
        if (handle < 0) return Vanished(handle) ? null : Failure(-handle);
        var listing = calls.ReopenDirectory(handle);
        if (handle != lease.Descriptor) calls.Close(handle);
        if (listing < 0) return Vanished(listing) ? null : Failure(-listing);
        try
        {
            var interruptions = 0;
            while (true)
            {
                var got = (int)calls.ReadDirectory(listing, buffer);
                if (got == -Errno.EINTR && ++interruptions < 16) continue;
                if (got < 0) return Vanished(got) ? null : Failure(-got);
                if (got == 0) return null;
                if (ScanEntries(listing, directory, buffer.AsSpan(0, got)) is { } failure) return failure;
            }
        }
        finally
        {
            calls.Close(listing);
        }
    }

    private FileObservation.Unreadable? ScanEntries(int listing, string directory, Span<byte> entries)
    {
        for (int at = 0, length; at < entries.Length; at += length)
        {
            if (cancellationToken.IsCancellationRequested) return ScanVisits.Cancelled;
            length = BinaryPrimitives.ReadUInt16LittleEndian(entries[(at + LengthAt)..]);
            var name = entries[(at + NameAt)..(at + length)];
            name = name[..(name.IndexOf((byte)0) + 1)];
            if (name is [(byte)'.', 0] or [(byte)'.', (byte)'.', 0]) continue;
            var path = directory + (directory.Length == 0 ? "" : "/") + Encoding.UTF8.GetString(name[..^1]);
            if (entries[at + TypeAt] == DirectoryType && Descend(path)) continue;
            var result = calls.StatAt(listing, name, out var stat);
            if (Vanished(result)) continue;
            if (result < 0) return Failure(-result);
            if (stat.Type == FileType.Directory && Descend(path)) continue;
            ArtifactPath? named = ArtifactPath.TryParse(path, out var parsed, out _) ? parsed : null;
            if (!visits.Tell(new TreeEntry(path, named, stat.Type, stat.Stamp, stat.Links))) return ScanVisits.Cancelled;
        }

        return null;
    }

    /// <summary>False for a directory that no artifact path can lead into (too deep, a name that is no text): it is reported instead of entered.</summary>
    private bool Descend(string path)
    {
        if (!ArtifactPath.TryParse(path, out _, out _)) return false;
        _pending.Push(path);
        return true;
    }

    /// <summary>Gone since it was listed, or replaced by something that is no directory.</summary>
    private static bool Vanished(int result) => -result is Errno.ENOENT or Errno.ENOTDIR or Errno.ELOOP;

    private FileObservation.Unreadable Failure(int errno) => (FileObservation.Unreadable)FileLook.Unreadable(calls, root, errno, null);
}

/// <summary>Stats a list of paths, holding the handle of the directory of the last one.</summary>
internal sealed class PathListScan(ISystemCalls calls, ArtifactRoot root, CancellationToken cancellationToken)
{
    private string? _directory;
    private int _handle = -1;

    public FileObservation.Unreadable? Run(IReadOnlyList<ArtifactPath> paths, ScanVisits<(int Index, FileSeen Seen)> visits)
    {
        try
        {
            for (var i = 0; i < paths.Count; i++)
            {
                if (cancellationToken.IsCancellationRequested) return ScanVisits.Cancelled;
                var seen = Look(paths[i]);
                if (seen.Other is FileObservation.Unreadable { Cause: UnreadableCause.RootUnavailable } gone) return gone;
                if (!visits.Tell((i, seen))) return ScanVisits.Cancelled;
            }

            return null;
        }
        finally
        {
            Leave();
        }
    }

    private FileSeen Look(ArtifactPath path)
    {
        var slash = path.Value.LastIndexOf('/');
        Span<byte> name = stackalloc byte[ArtifactPath.MaxSegmentBytes + 1];
        var length = Encoding.UTF8.GetBytes(path.Value.AsSpan(slash + 1), name);
        name[length] = 0;
        using var lease = root.Lease();
        var directory = slash < 0 ? lease.Descriptor : Enter(lease.Descriptor, path.Value.AsSpan(0, slash));

        // Only the plain case is fast; links, failures and absences take the careful way, which also looks at the root again.
        if (directory >= 0 && calls.StatAt(directory, name[..(length + 1)], out var stat) >= 0 && stat.Type == FileType.Regular)
            return new FileSeen(stat.Stamp, null);
        return new FileSeen(default, FileLook.Stat(calls, root, path));
    }

    private int Enter(int root, ReadOnlySpan<char> directory)
    {
        if (_handle >= 0 && directory.SequenceEqual(_directory)) return _handle;
        Leave();
        _directory = directory.ToString();
        return _handle = calls.OpenHandle(root, _directory);
    }

    private void Leave()
    {
        if (_handle >= 0) calls.Close(_handle);
        _handle = -1;
    }
}
