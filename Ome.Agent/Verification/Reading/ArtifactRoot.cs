using Microsoft.Win32.SafeHandles;
using Ome.Agent.Files;
using Ome.Agent.Verification.Reading.Linux;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Verification.Reading;

/// <summary>What opening a root gave.</summary>
public abstract record ArtifactRootResult
{
    private ArtifactRootResult()
    {
    }

    /// <summary>It is there; whoever asked disposes it.</summary>
    public sealed record Opened(ArtifactRoot Root) : ArtifactRootResult;

    /// <summary>It is not: <see cref="UnreadableCause.RootUnavailable"/>, <see cref="UnreadableCause.Permission"/>, or a passing failure.</summary>
    /// <param name="Cause">What that means.</param>
    /// <param name="Errno">Symbolic name, e.g. <c>ENOENT</c>.</param>
    public sealed record Refused(UnreadableCause Cause, string Errno) : ArtifactRootResult;
}

/// <summary>
/// An artifact's directory, held open: everything below it is reached through this handle, so that swapping a directory above it
/// changes nothing. Links may lead anywhere inside the boundary (the models root, or a Hugging Face cache whose snapshots link to
/// its blobs) and nowhere else. Open one per pass and dispose it: a held root keeps its file system from being unmounted.
/// </summary>
public sealed class ArtifactRoot : IDisposable
{
    private readonly SafeFileHandle _boundary;
    private SafeFileHandle _directory;
    private FileStat _stat;

    private ArtifactRoot(SafeFileHandle boundary, string boundaryPath, string path, string[] prefix)
    {
        _boundary = boundary;
        _directory = boundary;
        BoundaryPath = boundaryPath;
        Path = path;
        Prefix = prefix;
    }

    /// <summary>Absolute path of the artifact's directory.</summary>
    public string Path { get; }

    /// <summary>Absolute path of the directory that links must not leave; <see cref="Path"/> itself or above it.</summary>
    public string BoundaryPath { get; }

    /// <summary>Device the directory was on when opened, as in <c>FileStamp.Device</c>: tells a mount point from the file system that belongs there.</summary>
    public ulong Device => _stat.Stamp.Device;

    /// <summary>Inode of the directory when opened.</summary>
    public ulong Inode => _stat.Stamp.Inode;

    /// <summary>Names that lead from the boundary to the artifact's directory; real directories when it was opened.</summary>
    internal string[] Prefix { get; private set; }

    /// <summary>Opens <paramref name="path"/>, which may not lie behind a link that leaves <paramref name="boundary"/>.</summary>
    /// <param name="path">Absolute directory of the artifact's files.</param>
    /// <param name="boundary">Absolute directory at or above <paramref name="path"/> that links must not leave; null = <paramref name="path"/>.</param>
    /// <remarks>Blocks on a hung mount: a service opens it on the engine's threads instead.</remarks>
    public static ArtifactRootResult Open(string path, string? boundary = null) => Open(path, boundary, LinuxCalls.Instance);

    /// <summary>False when the directory is gone, or its path now leads somewhere else (another file system mounted over it).</summary>
    public bool IsStillThere() => IsStillThere(LinuxCalls.Instance);

    public void Dispose()
    {
        _directory.Dispose();
        _boundary.Dispose();
    }

    internal static ArtifactRootResult Open(string path, string? boundary, ISystemCalls calls)
    {
        path = System.IO.Path.TrimEndingDirectorySeparator(path);
        boundary = boundary is null ? path : System.IO.Path.TrimEndingDirectorySeparator(boundary);
        var prefix = SegmentsBelow(boundary, path) ?? throw new ArgumentException($"'{path}' is not an absolute path at or below '{boundary}'.", nameof(path));
        var descriptor = calls.OpenDirectory(boundary);
        if (descriptor < 0) return Refuse(-descriptor);
        var root = new ArtifactRoot(new SafeFileHandle(descriptor, ownsHandle: true), boundary, path, prefix);
        var refusal = prefix.Length == 0 ? root.Inspect(calls) : root.Descend(calls);
        if (refusal is null) return new ArtifactRootResult.Opened(root);
        root.Dispose();
        return refusal;
    }

    internal bool IsStillThere(ISystemCalls calls) =>
        calls.StatPath(Path, out var now) == 0 && now.Stamp.Device == Device && now.Stamp.Inode == Inode && now.Links > 0;

    /// <summary>The artifact directory's descriptor, guarded against being closed under a reader.</summary>
    internal DescriptorLease Lease() => new(_directory);

    /// <summary>The same of the directory that links must not leave.</summary>
    internal DescriptorLease LeaseBoundary() => new(_boundary);

    /// <summary>Names from <paramref name="above"/> down to <paramref name="below"/>; null when it is not above, or a path is not in normal form.</summary>
    internal static string[]? SegmentsBelow(string above, string below)
    {
        if (!above.StartsWith('/') || !below.StartsWith(above, StringComparison.Ordinal)) return null;
        if (below.Length == above.Length) return [];
        if (above != "/" && below[above.Length] != '/') return null;
        var segments = below[(above == "/" ? 1 : above.Length + 1)..].Split('/');
        return segments.Any(segment => segment is "" or "." or "..") ? null : segments;
    }

    private ArtifactRootResult.Refused? Inspect(ISystemCalls calls)
    {
        using var lease = Lease();
        var result = calls.Stat(lease.Descriptor, out _stat);
        return result < 0 ? Refuse(-result) : null;
    }

    private ArtifactRootResult.Refused? Descend(ISystemCalls calls)
    {
        var end = PathResolver.ResolveFromBoundary(calls, this, Prefix);
        if (end.Kind != ResolutionKind.Found) return Refuse(end.Error == 0 ? Errno.ELOOP : end.Error);
        _directory = new SafeFileHandle(end.Descriptor, ownsHandle: true);
        if (end.Stat.Type != FileType.Directory) return Refuse(Errno.ENOTDIR);
        _stat = end.Stat;
        Prefix = end.Names!;
        return null;
    }

    private static ArtifactRootResult.Refused Refuse(int errno) =>
        new(errno is Errno.ENOENT or Errno.ENOTDIR or Errno.ELOOP or Errno.EIO ? UnreadableCause.RootUnavailable : Errno.CauseOf(errno), Errno.NameOf(errno));
}
