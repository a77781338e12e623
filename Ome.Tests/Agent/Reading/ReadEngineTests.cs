using System.IO.Hashing;
using Ome.Agent.Verification.Reading;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;

namespace Ome.Tests.Agent.Reading;

/// <summary>The engine as a whole: many readers at once, what it allocates, how it sizes itself.</summary>
public sealed class ReadEngineTests : ReadingFixture
{
    [TestCase(1)]
    [TestCase(3)]
    [CancelAfter(180_000)]
    public async Task Many_reads_of_every_kind_at_once_each_get_their_own_answer(int workers, CancellationToken token)
    {
        Options.Workers = workers;
        var files = Enumerable.Range(0, 24).Select(i => (Name: $"f{i}", Path: Make($"f{i}", i % 3 == 0 ? (9 * MiB) + i : 1000 * i, i))).ToList();
        var expected = files.ToDictionary(file => file.Name, file => Sha256Of(file.Path));
        var (probe, root) = (new FileProbe(NewEngine()), OpenRoot());
        var random = new Random(workers);
        var plans = Enumerable.Range(0, 300).Select(_ => (Name: files[random.Next(files.Count)].Name, Purpose: (ReadPurpose)random.Next(3), Cancel: random.Next(6) == 0)).ToList();

        var answers = await Task.WhenAll(plans.Select(async plan =>
        {
            using var cancel = CancellationTokenSource.CreateLinkedTokenSource(token);
            var reading = probe.ReadAsync(root, ArtifactPath.Parse(plan.Name), ReadRequest.WholeFile(WholeDigests.Sha256, plan.Purpose), cancel.Token);
            await Task.Yield();
            if (plan.Cancel) await cancel.CancelAsync();
            return (plan, Seen: await reading);
        }));

        foreach (var (plan, seen) in answers)
        {
            if (seen is FileObservation.Present present) present.Sha256.Should().Be(expected[plan.Name]);
            else (plan.Cancel, ((FileObservation.Unreadable)seen).Cause).Should().Be((true, UnreadableCause.Cancelled));
        }

        SpinWait.SpinUntil(() => Calls.Open.IsEmpty, TimeSpan.FromSeconds(60)).Should().BeTrue("every descriptor is closed: {0}", string.Join(", ", Calls.Open.Values));
    }

    [Test, CancelAfter(120_000)]
    public async Task Chunks_of_one_file_are_read_by_all_workers_and_each_once(CancellationToken token)
    {
        Options.Workers = 3;
        var path = MakeSparse("f", 20 * ArtifactManifest.ChunkSize);
        var offsets = new System.Collections.Concurrent.ConcurrentBag<long>();
        var threads = new System.Collections.Concurrent.ConcurrentDictionary<int, bool>();
        using var together = new Barrier(3);
        Calls.Before = call =>
        {
            if (call.Site != CallSite.Read) return;
            offsets.Add(call.Offset);

            // Nobody goes on until three threads read at the same time.
            if (threads.TryAdd(Environment.CurrentManagedThreadId, true)) together.SignalAndWait(token);
        };

        var seen = (FileObservation.Present)await ReadAsync("f", ReadRequest.EveryChunk(), token);

        seen.Chunks.Keys.Should().Equal(Enumerable.Range(0, 20));
        seen.Chunks[5].Should().Be(XxHash128.HashToUInt128(new byte[ArtifactManifest.ChunkSize]));
        offsets.Should().OnlyHaveUniqueItems();
        threads.Should().HaveCount(3);
    }

    [Test, CancelAfter(180_000)]
    public async Task Reading_a_gibibyte_allocates_less_than_a_megabyte([Values] bool limited, CancellationToken token)
    {
        MakeSparse("f", 1L << 30);
        if (limited) Budget.BytesPerSecond = 100L << 30;
        using var engine = new ReadEngine(Options, Budget, TimeProvider.System);
        using var root = ((ArtifactRootResult.Opened)ArtifactRoot.Open(Directory)).Root;
        var probe = new FileProbe(engine);
        await probe.ReadAsync(root, ArtifactPath.Parse("f"), ReadRequest.SomeChunks([0]), token);
        var before = GC.GetTotalAllocatedBytes(precise: true);

        (await probe.ReadAsync(root, ArtifactPath.Parse("f"), ReadRequest.EveryChunk(), token)).Should().BeOfType<FileObservation.Present>();

        (GC.GetTotalAllocatedBytes(precise: true) - before).Should().BeLessThan(MiB);
    }

    [Test, CancelAfter(120_000)]
    public async Task A_confirmation_goes_before_routine_reads_that_wait(CancellationToken token)
    {
        Options.Workers = 1;
        foreach (var name in new[] { "first", "routine", "suspect" }) Make(name, 100);
        using var hold = new ManualResetEventSlim();
        var order = new System.Collections.Concurrent.ConcurrentQueue<string>();
        Calls.Before = call =>
        {
            if (call.Site == CallSite.Read) hold.Wait(token);
        };
        var (probe, root) = (new FileProbe(NewEngine()), OpenRoot());
        async Task LookAsync(string name, ReadPurpose purpose)
        {
            await probe.ReadAsync(root, ArtifactPath.Parse(name), ReadRequest.EveryChunk(purpose), token);
        }

        var first = LookAsync("first", ReadPurpose.Routine);
        SpinWait.SpinUntil(() => Calls.CountOf(CallSite.Read) > 0, TimeSpan.FromSeconds(60)).Should().BeTrue();
        var routine = LookAsync("routine", ReadPurpose.Routine);
        var suspect = LookAsync("suspect", ReadPurpose.Confirm);
        hold.Set();
        await Task.WhenAll(first, routine, suspect);

        Calls.Opened.Select(Path.GetFileName).Where(name => name is "routine" or "suspect").Distinct().Should().Equal("suspect", "routine");
    }

    [TestCase(1700L << 20, 2, 4)]
    [TestCase(1700L << 20, 64, 5)]
    [TestCase(400L << 20, 64, 21)]
    [TestCase(1700L << 20, 1, 4)]
    [TestCase(9L << 30, 64, 4)]
    public void Workers_are_what_a_fast_disk_needs_on_the_cores_allowed(long sha256PerCore, int cores, int workers) =>
        new Calibration(sha256PerCore, cores).Workers.Should().Be(workers);

    [Test]
    public void The_calibration_measures_this_machine()
    {
        Options.Workers = 0;
        var engine = NewEngine();

        engine.Calibration.Sha256PerCore.Should().BeGreaterThan(20L << 20);
        engine.Workers.Should().BeInRange(4, Math.Max(4, Environment.ProcessorCount));
    }
}
