using k8s.Models;
using KubeOps.Abstractions.Reconciliation;
using Ome.Shared.Api;
using Ome.Shared.Kube;
using Prometheus;

namespace Ome.Tests.Kube;

/// <summary>The queue at 2,000 keys a second, each with two events 50 ms apart, while it is being drained.</summary>
public sealed class QueueLoadTests
{
    private const int KeysPerTick = 10;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(5);

    [TestCase(1)]
    [TestCase(20, Category = "Campaign")]
    [CancelAfter(120_000)]
    public async Task No_key_is_lost_at_two_thousand_keys_a_second(int seconds, CancellationToken cancellationToken)
    {
        using var queue = new KeyedEntityQueue<BaseModel>(QueueBackoff.Default(1), new QueueMetrics(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry())), TimeProvider.System);
        var ticks = seconds * 1000 / (int)Tick.TotalMilliseconds;
        var newest = new int[ticks * KeysPerTick];
        var taken = Task.Run(() => DrainAsync(queue, newest, cancellationToken), cancellationToken);
        using var pace = new PeriodicTimer(Tick);
        const int ticksBetween = 10;

        for (var tick = 0; tick < ticks + ticksBetween; tick++)
        {
            if (tick < ticks) await PutAsync(tick, 1);
            if (tick >= ticksBetween) await PutAsync(tick - ticksBetween, 2);
            await pace.WaitForNextTickAsync(cancellationToken);
        }
        while (queue.Count > 0) await pace.WaitForNextTickAsync(cancellationToken);
        queue.Dispose();
        await taken;

        newest.Should().OnlyContain(version => version == 2, "the last event of every key must come out");

        async Task PutAsync(int tick, int version)
        {
            for (var i = 0; i < KeysPerTick; i++)
            {
                var name = ((tick * KeysPerTick) + i).ToString();
                var model = new BaseModel { Metadata = new() { Name = name, NamespaceProperty = "ns", Uid = name, Generation = version } };
                (await queue.Enqueue(model, ReconciliationType.Modified, ReconciliationTriggerSource.ApiServer, TimeSpan.FromMilliseconds(version == 1 ? i * 10 : 0), 0, cancellationToken)).Should().BeTrue();
            }
        }
    }

    private static async Task DrainAsync(KeyedEntityQueue<BaseModel> queue, int[] newest, CancellationToken cancellationToken)
    {
        await foreach (var entry in queue.WithCancellation(cancellationToken))
        {
            newest[int.Parse(entry.Entity.Name())] = (int)entry.Entity.Metadata.Generation!.Value;
        }
    }
}
