using System.Diagnostics;
using System.Security.Cryptography;
using Ome.Agent.Verification.Reading;
using Ome.Agent.Verification.Reading.Linux;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;

namespace Ome.Tests.Agent.Reading;

/// <summary>A scratch directory, an engine over a kernel that can be told to fail, and helpers to make files and to change their residency.</summary>
public abstract class ReadingFixture
{
    internal const int MiB = 1024 * 1024;

    private readonly List<IDisposable> _owned = [];

    internal string Directory { get; private set; } = "";

    internal FaultyCalls Calls { get; private set; } = new();

    internal ReadEngineOptions Options { get; private set; } = new();

    internal IoBudget Budget { get; private set; } = new(0, TimeProvider.System);

    [SetUp]
    public void MakeScratch()
    {
        Directory = System.IO.Directory.CreateTempSubdirectory("ome-reading-").FullName;
        Calls = new FaultyCalls();
        Options = new ReadEngineOptions { Workers = 2, Background = false };
        Budget = new IoBudget(0, TimeProvider.System);
    }

    [TearDown]
    public void RemoveScratch()
    {
        _owned.Reverse();
        foreach (var owned in _owned) owned.Dispose();
        _owned.Clear();
        Budget.Dispose();
        System.IO.Directory.Delete(Directory, recursive: true);
    }

    internal T Own<T>(T value)
        where T : IDisposable
    {
        _owned.Add(value);
        return value;
    }

    internal ReadEngine NewEngine(TimeProvider? time = null) => Own(new ReadEngine(Options, Budget, time ?? TimeProvider.System, Calls));

    internal ArtifactRoot OpenRoot(string? path = null, string? boundary = null) =>
        Own(((ArtifactRootResult.Opened)ArtifactRoot.Open(path ?? Directory, boundary, Calls)).Root);

    internal Task<FileObservation> ReadAsync(string name, ReadRequest request, CancellationToken cancellationToken = default) =>
        new FileProbe(NewEngine()).ReadAsync(OpenRoot(), ArtifactPath.Parse(name), request, cancellationToken);

    /// <summary>A file of <paramref name="size"/> bytes whose pages all differ (no two chunks alike); on disk before it returns.</summary>
    internal string Make(string name, long size, int seed = 1)
    {
        var path = Path.Combine(Directory, name);
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.ReadWrite, MiB);
        var block = new byte[MiB];
        for (long at = 0; at < size; at += MiB)
        {
            var length = (int)Math.Min(MiB, size - at);
            var random = new Random(HashCode.Combine(seed, 7919 * (int)(at / MiB)));
            random.NextBytes(block.AsSpan(0, length));
            file.Write(block, 0, length);
        }

        file.Flush(flushToDisk: true);
        return path;
    }

    /// <summary>A sparse file with a few marked bytes: large without taking space.</summary>
    internal string MakeSparse(string name, long size)
    {
        var path = Path.Combine(Directory, name);
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.ReadWrite);
        file.SetLength(size);
        foreach (var at in new[] { 0, size / 2, size - 1 }.Where(at => at >= 0 && at < size))
        {
            file.Position = at;
            file.WriteByte((byte)(at % 251 + 1));
        }

        file.Flush(flushToDisk: true);
        return path;
    }

    /// <summary>Drops a range from the page cache; the file must be on disk already.</summary>
    internal static void Evict(string path, long offset = 0, long length = 0)
    {
        using var file = File.OpenHandle(path);
        TestSyscalls.Evict(file, offset, length);
    }

    internal static long CachedBytes(string path)
    {
        using var file = File.OpenHandle(path);
        return LinuxCalls.Instance.CachedBytes((int)file.DangerousGetHandle(), 0, new FileInfo(path).Length);
    }

    internal static void Warm(string path)
    {
        using var file = File.OpenRead(path);
        file.CopyTo(Stream.Null);
    }

    /// <summary>False where the scratch directory is not on a file system whose cache can be dropped (tmpfs).</summary>
    internal bool CanEvict()
    {
        var path = Make("evict-probe", 64 * 1024);
        Evict(path);
        var cached = CachedBytes(path);
        File.Delete(path);
        return cached == 0;
    }

    internal static ContentDigest Sha256Of(string path)
    {
        using var file = File.OpenRead(path);
        return ContentDigest.Of(DigestAlgorithm.Sha256, SHA256.HashData(file));
    }

    internal static void Run(string command, params string[] arguments)
    {
        using var process = Process.Start(command, arguments);
        process.WaitForExit();
        process.ExitCode.Should().Be(0, "{0} {1} is needed to set the scene", command, string.Join(' ', arguments));
    }
}
