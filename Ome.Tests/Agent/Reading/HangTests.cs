using Microsoft.Extensions.Time.Testing;
using Ome.Agent.Verification.Reading;
using Ome.Agent.Verification.Reading.Linux;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;

namespace Ome.Tests.Agent.Reading;

/// <summary>A mount that does not answer, and reads that nobody wants any more.</summary>
public sealed class HangTests : ReadingFixture
{
    private readonly FakeTimeProvider _time = new();
    private readonly ManualResetEventSlim _release = new();
    private readonly SemaphoreSlim _hung = new(0);

    [SetUp]
    public void MakeFiles()
    {
        _release.Reset();
        while (_hung.Wait(0))
        {
        }

        Make("hangs", 9 * MiB);
        Make("good", 9 * MiB);
        Options.Workers = 1;
        Options.CallTimeout = TimeSpan.FromSeconds(30);
    }

    [TearDown]
    public void LetGo() => _release.Set();

    [OneTimeTearDown]
    public void DisposeEvents()
    {
        _release.Dispose();
        _hung.Dispose();
    }

    [TestCase("OpenHandle")]
    [TestCase("Stat")]
    [TestCase("Reopen")]
    [TestCase("CachedBytes")]
    [TestCase("Read")]
    [TestCase("Close")]
    [CancelAfter(120_000)]
    public async Task A_call_that_does_not_return_times_out_and_the_next_file_is_read_by_another_thread(string site, CancellationToken token)
    {
        var engine = NewEngine(_time);
        var (probe, root) = (new FileProbe(engine), OpenRoot());
        HangAt(site, first: 1);

        var reading = probe.ReadAsync(root, ArtifactPath.Parse("hangs"), ReadRequest.EveryChunk(), token);
        await _hung.WaitAsync(token);
        _time.Advance(TimeSpan.FromSeconds(29));
        reading.IsCompleted.Should().Be(false, "it may still answer");
        _time.Advance(TimeSpan.FromSeconds(3));

        (await reading).Should().Be(new FileObservation.Unreadable(UnreadableCause.TimedOut, "ETIMEDOUT"));
        engine.Abandoned.Should().Be(1);
        (await probe.ReadAsync(root, ArtifactPath.Parse("good"), ReadRequest.EveryChunk(), token)).Should().BeOfType<FileObservation.Present>();

        _release.Set();
        SpinWait.SpinUntil(() => engine.Abandoned == 0 && Calls.Open.IsEmpty, TimeSpan.FromSeconds(60)).Should().BeTrue("a thread that comes back cleans up and ends");
    }

    [Test, CancelAfter(120_000)]
    public async Task Threads_that_hang_are_bounded_and_then_reads_fail_at_once_until_the_mount_is_back(CancellationToken token)
    {
        Options.MaxAbandoned = 2;
        Options.MaxAbandonedPerMount = 3;
        HangAt("Read", first: int.MaxValue);
        var engine = NewEngine(_time);
        var (probe, root) = (new FileProbe(engine), OpenRoot());
        for (var i = 0; i < 3; i++)
        {
            var reading = probe.ReadAsync(root, ArtifactPath.Parse("hangs"), ReadRequest.EveryChunk(), token);
            await _hung.WaitAsync(token);
            _time.Advance(TimeSpan.FromSeconds(31));
            (await reading).Should().BeOfType<FileObservation.Unreadable>();
        }

        engine.Abandoned.Should().Be(3, "one worker and the two allowed replacements");
        (await probe.ReadAsync(root, ArtifactPath.Parse("good"), ReadRequest.EveryChunk(), token))
            .Should().Be(new FileObservation.Unreadable(UnreadableCause.TimedOut, "ETIMEDOUT"));
        probe.Stat(root, ArtifactPath.Parse("good")).Should().BeOfType<FileObservation.Present>("stat has threads of its own");

        _release.Set();
        SpinWait.SpinUntil(() => engine.Abandoned == 0, TimeSpan.FromSeconds(60)).Should().BeTrue();
        (await probe.ReadAsync(root, ArtifactPath.Parse("good"), ReadRequest.EveryChunk(), token)).Should().BeOfType<FileObservation.Present>();
    }

    [Test, CancelAfter(120_000)]
    public async Task A_mount_that_hangs_is_asked_nothing_more_and_the_others_are_served(CancellationToken token)
    {
        const string Elsewhere = "/dev/shm";
        if (!System.IO.Directory.Exists(Elsewhere) || Mounts.Of(Elsewhere) == Mounts.Of(Directory)) Assert.Ignore("there is no second mount beside that of the scratch directory");
        Options.MaxAbandoned = 2;
        HangAt("Read", first: int.MaxValue);
        var engine = NewEngine(_time);
        var (probe, root) = (new FileProbe(engine), OpenRoot());
        for (var i = 0; i < 2; i++)
        {
            var reading = probe.ReadAsync(root, ArtifactPath.Parse("hangs"), ReadRequest.EveryChunk(), token);
            await _hung.WaitAsync(token);
            _time.Advance(TimeSpan.FromSeconds(31));
            (await reading).Should().BeOfType<FileObservation.Unreadable>();
        }

        (await probe.ReadAsync(root, ArtifactPath.Parse("good"), ReadRequest.EveryChunk(), token))
            .Should().Be(new FileObservation.Unreadable(UnreadableCause.TimedOut, "ETIMEDOUT"), "two threads of this mount do not come back");
        engine.Abandoned.Should().Be(2);
        Calls.Before = static _ => { };
        var healthy = System.IO.Directory.CreateDirectory(Path.Combine(Elsewhere, Path.GetFileName(Directory)));
        try
        {
            await File.WriteAllBytesAsync(Path.Combine(healthy.FullName, "file"), new byte[100], token);
            (await probe.ReadAsync(OpenRoot(healthy.FullName), ArtifactPath.Parse("file"), ReadRequest.EveryChunk(), token)).Should().BeOfType<FileObservation.Present>();
        }
        finally
        {
            healthy.Delete(recursive: true);
        }

        _release.Set();
        SpinWait.SpinUntil(() => engine.Abandoned == 0, TimeSpan.FromSeconds(60)).Should().BeTrue();
        (await probe.ReadAsync(root, ArtifactPath.Parse("good"), ReadRequest.EveryChunk(), token)).Should().BeOfType<FileObservation.Present>();
    }

    [TestCase(true), TestCase(false)]
    [CancelAfter(120_000)]
    public async Task A_pass_that_was_given_up_tells_nothing_when_the_mount_is_back(bool wholeTree, CancellationToken token)
    {
        HangAt("StatAt", first: 1);
        var (engine, root) = (NewEngine(_time), OpenRoot());
        var (passes, told) = (new StatPass(engine), 0);
        var pass = wholeTree
            ? passes.ScanAsync(root, _ => Interlocked.Increment(ref told), token)
            : passes.StatAsync(root, [ArtifactPath.Parse("hangs"), ArtifactPath.Parse("good")], (_, _) => Interlocked.Increment(ref told), token);
        await _hung.WaitAsync(token);
        _time.Advance(TimeSpan.FromSeconds(31));
        (await pass).Should().Be(new StatPassEnd(0, new FileObservation.Unreadable(UnreadableCause.TimedOut, "ETIMEDOUT")));

        _release.Set();

        SpinWait.SpinUntil(() => engine.Abandoned == 0, TimeSpan.FromSeconds(60)).Should().BeTrue();
        told.Should().Be(0, "whoever listened may be at another pass");
    }

    [Test, CancelAfter(120_000)]
    public async Task What_waits_behind_a_hung_thread_is_not_forgotten(CancellationToken token)
    {
        Options.MaxAbandoned = 0;
        HangAt("Read", first: int.MaxValue);
        var (probe, root) = (new FileProbe(NewEngine(_time)), OpenRoot());
        var first = probe.ReadAsync(root, ArtifactPath.Parse("hangs"), ReadRequest.EveryChunk(), token);
        var second = probe.ReadAsync(root, ArtifactPath.Parse("good"), ReadRequest.EveryChunk(), token);
        await _hung.WaitAsync(token);

        _time.Advance(TimeSpan.FromSeconds(31));

        (await first).Should().BeOfType<FileObservation.Unreadable>().Which.Cause.Should().Be(UnreadableCause.TimedOut);
        (await second).Should().BeOfType<FileObservation.Unreadable>().Which.Cause.Should().Be(UnreadableCause.TimedOut);
    }

    [Test, CancelAfter(120_000)]
    public async Task Stat_open_and_scan_on_a_hung_mount_come_back_too(CancellationToken token)
    {
        HangAt("StatAt", first: 1);
        var (engine, root) = (NewEngine(_time), OpenRoot());

        var scan = new StatPass(engine).ScanAsync(root, _ => { }, token);
        await _hung.WaitAsync(token);
        _time.Advance(TimeSpan.FromSeconds(31));
        (await scan).Failure.Should().Be(new FileObservation.Unreadable(UnreadableCause.TimedOut, "ETIMEDOUT"));

        HangAt("OpenDirectory", first: 1);
        var opening = engine.OpenRootAsync(Directory, null, token);
        await _hung.WaitAsync(token);
        _time.Advance(TimeSpan.FromSeconds(31));
        (await opening).Should().Be(new ArtifactRootResult.Refused(UnreadableCause.TimedOut, "ETIMEDOUT"));
    }

    [Test, CancelAfter(120_000)]
    public async Task Cancelling_does_not_wait_for_the_kernel(CancellationToken token)
    {
        HangAt("Read", first: 1);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(token);
        var reading = new FileProbe(NewEngine(_time)).ReadAsync(OpenRoot(), ArtifactPath.Parse("hangs"), ReadRequest.EveryChunk(), cancel.Token);
        await _hung.WaitAsync(token);

        await cancel.CancelAsync();

        (await reading).Should().Be(new FileObservation.Unreadable(UnreadableCause.Cancelled, "ECANCELED"));
    }

    [Test, CancelAfter(120_000)]
    public async Task Cancelling_does_not_wait_for_the_budget_or_the_queue(CancellationToken token)
    {
        Budget.BytesPerSecond = 1;
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(token);
        var (probe, root) = (new FileProbe(NewEngine()), OpenRoot());
        var readings = Enumerable.Range(0, 3).Select(_ => probe.ReadAsync(root, ArtifactPath.Parse("good"), ReadRequest.EveryChunk(), cancel.Token)).ToList();
        SpinWait.SpinUntil(() => Budget.Backlog > 0, TimeSpan.FromSeconds(60)).Should().BeTrue();

        await cancel.CancelAsync();

        (await Task.WhenAll(readings)).Should().AllBeEquivalentTo(new FileObservation.Unreadable(UnreadableCause.Cancelled, "ECANCELED"));
        SpinWait.SpinUntil(() => Calls.Open.IsEmpty, TimeSpan.FromSeconds(60)).Should().BeTrue();
        Budget.BytesPerSecond = 0;
        (await probe.ReadAsync(root, ArtifactPath.Parse("good"), ReadRequest.EveryChunk(), token)).Should().BeOfType<FileObservation.Present>();
    }

    [Test, CancelAfter(120_000)]
    public async Task A_token_that_is_already_cancelled_opens_nothing(CancellationToken token)
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(token);
        await cancel.CancelAsync();

        var seen = await ReadAsync("good", ReadRequest.EveryChunk(), cancel.Token);

        seen.Should().Be(new FileObservation.Unreadable(UnreadableCause.Cancelled, "ECANCELED"));
        Calls.Opened.Should().BeEmpty();
    }

    [Test, CancelAfter(120_000)]
    public async Task A_disposed_engine_answers_cancelled(CancellationToken token)
    {
        Budget.BytesPerSecond = 1;
        var engine = NewEngine();
        var (probe, root) = (new FileProbe(engine), OpenRoot());
        var running = probe.ReadAsync(root, ArtifactPath.Parse("good"), ReadRequest.EveryChunk(), token);
        SpinWait.SpinUntil(() => Budget.Backlog > 0, TimeSpan.FromSeconds(60)).Should().BeTrue();

        engine.Dispose();

        (await running).Should().BeOfType<FileObservation.Unreadable>().Which.Cause.Should().Be(UnreadableCause.Cancelled);
        (await probe.ReadAsync(root, ArtifactPath.Parse("good"), ReadRequest.EveryChunk(), token))
            .Should().BeOfType<FileObservation.Unreadable>().Which.Cause.Should().Be(UnreadableCause.Cancelled);
    }

    [Test, CancelAfter(120_000)]
    public async Task Idle_threads_end_and_come_back_with_work(CancellationToken token)
    {
        Options.IdleTimeout = TimeSpan.FromMilliseconds(20);
        var engine = NewEngine();
        var (probe, root) = (new FileProbe(engine), OpenRoot());
        for (var round = 0; round < 3; round++)
        {
            (await probe.ReadAsync(root, ArtifactPath.Parse("good"), ReadRequest.EveryChunk(), token)).Should().BeOfType<FileObservation.Present>();
            SpinWait.SpinUntil(() => engine.Threads == 0, TimeSpan.FromSeconds(60)).Should().BeTrue();
        }
    }

    private void HangAt(string site, int first)
    {
        var held = 0;
        Calls.Before = call =>
        {
            if (call.Site.ToString() != site || Interlocked.Increment(ref held) > first) return;
            _hung.Release();
            _release.Wait();
        };
    }
}
