using Ome.Agent.Verification.Reading;
using Ome.Shared.Domain.Verification;

namespace Ome.Tests.Agent.Reading;

/// <summary>Reading leaves the page cache as it found it: what a server has warm stays warm, what nobody cached stays out.</summary>
public sealed class PageCacheTests : ReadingFixture
{
    private const long Size = 48L * MiB;

    /// <summary>Other processes' pressure and a read-ahead in flight may move a few pages.</summary>
    private const long Tolerance = 2L * MiB;

    [SetUp]
    public void NeedsADisk()
    {
        if (!CanEvict()) Assert.Ignore("the scratch directory is on a file system whose cache cannot be dropped");
    }

    [Test, CancelAfter(120_000)]
    public async Task A_file_that_was_not_cached_is_not_cached_afterwards([Values(ReadPurpose.Routine, ReadPurpose.Confirm)] ReadPurpose purpose, CancellationToken token)
    {
        var path = Make("f", Size);
        Evict(path);

        var seen = (FileObservation.Present)await ReadAsync("f", ReadRequest.WholeFile(WholeDigests.Sha256, purpose), token);

        CachedBytes(path).Should().BeLessThanOrEqualTo(Tolerance);
        seen.Route.Should().Be(ReadRoute.Direct);
        seen.Sha256.Should().Be(Sha256Of(path));
    }

    [Test, CancelAfter(120_000)]
    public async Task A_file_that_was_cached_stays_cached([Values(ReadPurpose.Routine, ReadPurpose.Confirm)] ReadPurpose purpose, CancellationToken token)
    {
        var path = Make("f", Size);
        Warm(path);

        var seen = (FileObservation.Present)await ReadAsync("f", ReadRequest.WholeFile(WholeDigests.Sha256, purpose), token);

        CachedBytes(path).Should().BeGreaterThanOrEqualTo(Size - Tolerance);
        seen.Route.Should().Be(purpose == ReadPurpose.Confirm ? ReadRoute.Direct : ReadRoute.Buffered);
    }

    [TestCase(0, 24)]
    [TestCase(24, 24)]
    [TestCase(7, 13)]
    [CancelAfter(120_000)]
    public async Task A_file_that_was_half_cached_stays_half_cached(int evictedFromMiB, int evictedMiB, CancellationToken token)
    {
        var path = Make("f", Size);
        Warm(path);
        Evict(path, evictedFromMiB * (long)MiB, evictedMiB * (long)MiB);
        var before = CachedBytes(path);

        var seen = (FileObservation.Present)await ReadAsync("f", ReadRequest.WholeFile(WholeDigests.Sha256), token);

        CachedBytes(path).Should().BeCloseTo(before, (ulong)Tolerance);
        seen.Route.Should().Be(ReadRoute.Mixed);
        seen.Sha256.Should().Be(Sha256Of(path));
    }

    [Test, CancelAfter(120_000)]
    public async Task Many_small_files_do_not_fill_the_cache_where_the_kernel_can_drop_behind(CancellationToken token)
    {
        var paths = Enumerable.Range(0, 64).Select(i => Make($"s{i}", 512 * 1024, i)).ToList();
        paths.ForEach(path => Evict(path));
        var (probe, root) = (new FileProbe(NewEngine()), OpenRoot());

        foreach (var path in paths)
            (await probe.ReadAsync(root, Ome.Shared.Domain.Manifests.ArtifactPath.Parse(Path.GetFileName(path)), ReadRequest.EveryChunk(), token)).Should().BeOfType<FileObservation.Present>();

        if (!KernelDropsBehind(paths[0])) Assert.Ignore("this kernel or file system has no RWF_DONTCACHE (Linux 6.14, ext4 or XFS)");
        paths.Sum(CachedBytes).Should().BeLessThanOrEqualTo(Tolerance);
    }

    [Test, CancelAfter(120_000)]
    public async Task Residency_is_sampled_before_the_first_byte_is_read(CancellationToken token)
    {
        var path = Make("f", Size);
        Warm(path);
        Evict(path, 24L * MiB, 24L * MiB);
        var order = new System.Collections.Concurrent.ConcurrentQueue<CallSite>();
        Calls.Before = call => order.Enqueue(call.Site);

        await ReadAsync("f", ReadRequest.EveryChunk(), token);

        order.SkipWhile(site => site != CallSite.Read).Should().NotContain(CallSite.CachedBytes);
        order.Should().Contain(CallSite.CachedBytes);
    }

    private static unsafe bool KernelDropsBehind(string path)
    {
        using var file = File.OpenHandle(path);
        var buffer = stackalloc byte[16];
        return Ome.Agent.Verification.Reading.Linux.LinuxCalls.Instance.Read(
            (int)file.DangerousGetHandle(), buffer, 16, 0, Ome.Agent.Verification.Reading.Linux.ReadMode.DropBehind) == 16;
    }
}
