using k8s;
using k8s.LeaderElection;
using k8s.LeaderElection.ResourceLock;
using k8s.Models;

namespace Ome.Tests.LocalCluster.Conformance;

/// <summary>KubernetesClient's own list, watch and leader election, unchanged.</summary>
public sealed class ClientLibraryTests : ConformanceTest
{
    [Test, CancelAfter(120_000)]
    public async Task Typed_objects_round_trip(CancellationToken ct)
    {
        var client = Plane.Admin.CoreV1;
        var created = await client.CreateNamespacedConfigMapAsync(
            new V1ConfigMap { Metadata = new V1ObjectMeta { Name = "a", Labels = new Dictionary<string, string> { ["l"] = "1" } }, Data = new Dictionary<string, string> { ["k"] = "v" } },
            Namespace, cancellationToken: ct);
        created.Data["k"] = "w";
        var replaced = await client.ReplaceNamespacedConfigMapAsync(created, "a", Namespace, cancellationToken: ct);
        var listed = await client.ListNamespacedConfigMapAsync(Namespace, labelSelector: "l=1", cancellationToken: ct);

        replaced.Data["k"].Should().Be("w");
        listed.Items.Should().ContainSingle().Which.Metadata.ResourceVersion.Should().Be(replaced.Metadata.ResourceVersion);
        listed.Metadata.ResourceVersion.Should().NotBeEmpty();
    }

    [Test, CancelAfter(120_000)]
    public async Task The_library_watches(CancellationToken ct)
    {
        var seen = new List<string>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        await CreateAsync("a", ct, metadata: ""","labels":{"l":"1"}""");

        await foreach (var (type, item) in Plane.Admin.CoreV1.WatchListNamespacedConfigMapAsync(Namespace, labelSelector: "l=1", cancellationToken: stop.Token))
        {
            seen.Add($"{type} {item.Name()}");
            if (seen.Count == 1) await CreateAsync("b", ct, metadata: ""","labels":{"l":"1"}""");
            if (seen.Count == 2) await Api.DeleteAsync($"{ConfigMaps}/a", ct);
            if (seen.Count == 3) break;
        }

        seen.Should().Equal("Added a", "Added b", "Deleted a");
    }

    [Test, CancelAfter(180_000)]
    public async Task Leadership_passes_on_when_the_leader_stops(CancellationToken ct)
    {
        using var stopFirst = CancellationTokenSource.CreateLinkedTokenSource(ct);
        using var stopSecond = CancellationTokenSource.CreateLinkedTokenSource(ct);
        using var first = Elector("first");
        using var second = Elector("second");
        var firstLeads = LeadsAsync(first, ct);
        var running = first.RunUntilLeadershipLostAsync(stopFirst.Token);
        await firstLeads;

        var secondLeads = LeadsAsync(second, ct);
        var waiting = second.RunUntilLeadershipLostAsync(stopSecond.Token);
        second.IsLeader().Should().BeFalse();
        await stopFirst.CancelAsync();
        await secondLeads;

        second.IsLeader().Should().BeTrue();
        await stopSecond.CancelAsync();
        await Task.WhenAll(Quiet(running), Quiet(waiting));
    }

    private LeaderElector Elector(string identity) => new(new LeaderElectionConfig(new LeaseLock(Plane.Admin, Namespace, "leader", identity))
    {
        LeaseDuration = TimeSpan.FromSeconds(8),
        RenewDeadline = TimeSpan.FromSeconds(6),
        RetryPeriod = TimeSpan.FromSeconds(0.2),
    });

    private static Task LeadsAsync(LeaderElector elector, CancellationToken ct)
    {
        var leads = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        elector.OnStartedLeading += leads.SetResult;
        return leads.Task.WaitAsync(ct);
    }

    private static async Task Quiet(Task task)
    {
        try
        {
            await task;
        }
        catch (OperationCanceledException)
        {
            // Stopped, as told.
        }
    }
}
