using k8s;
using k8s.LeaderElection;
using k8s.LeaderElection.ResourceLock;
using k8s.Models;
using KubeOps.Abstractions.Builder;
using KubeOps.Operator.LeaderElection;
using Microsoft.Extensions.DependencyInjection;
using Ome.LocalCluster.Faults;
using Ome.Shared.Kube;
using Ome.Tests.KubeOpsApi.Support;
using Ome.Tests.Support.ControlPlanes;
using Result = KubeOps.Abstractions.Reconciliation.ReconciliationResult<Ome.Tests.KubeOpsApi.Support.Widget>;

namespace Ome.Tests.KubeOpsApi;

public sealed class LeaderElectionTests : WidgetFixture
{
    [Test, CancelAfter(Limit)]
    public async Task Only_the_leader_works_and_the_other_takes_over(CancellationToken cancellationToken)
    {
        var first = await StartAsync(cancellationToken, Elected, before: services => Stand(services, "first"));
        await first.WaitUntilCaughtUpAsync(Plane, Namespace, cancellationToken);
        var second = await StartAsync(cancellationToken, Elected, before: services => Stand(services, "second"));
        await Plane.CreateWidgetAsync("a", Namespace, cancellationToken);
        await first.Log.NextAsync("reconcile", "a", cancellationToken);
        second.Log.Calls.Should().BeEmpty();
        (await Plane.Admin.CoordinationV1.ReadNamespacedLeaseAsync("widgets", Namespace, cancellationToken: cancellationToken)).Spec.HolderIdentity.Should().Be("first");

        await first.StopAsync(cancellationToken);

        await second.Log.NextAsync("reconcile", "a", cancellationToken);
    }

    [Test, CancelAfter(Limit)]
    public async Task A_lost_leadership_cancels_what_runs(CancellationToken cancellationToken)
    {
        var faults = Plane.RequireFaults();
        var log = new WidgetLog();
        var cancelled = new TaskCompletionSource();
        log.OnReconcile = async (widget, token) =>
        {
            await using var note = token.Register(() => cancelled.TrySetResult());
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
            return Result.Success(widget);
        };
        await StartAsync(cancellationToken, Elected, before: services => Stand(services, "first"), log: log);
        await Plane.CreateWidgetAsync("a", Namespace, cancellationToken);
        await log.NextAsync("reconcile", "a", cancellationToken);

        using var refusal = faults.Add(new FaultRule { Resource = "leases", Code = 503 });

        await cancelled.Task.WaitAsync(cancellationToken);
    }

    [Test, CancelAfter(Limit)]
    public async Task Our_election_tells_two_instances_of_one_machine_apart_and_a_clean_stop_hands_the_lease_on(CancellationToken cancellationToken)
    {
        var first = await StartOursAsync(cancellationToken);
        await first.WaitUntilCaughtUpAsync(Plane, Namespace, cancellationToken);
        var second = await StartOursAsync(cancellationToken);
        await Plane.CreateWidgetAsync("a", Namespace, cancellationToken);
        await first.Log.NextAsync("reconcile", "a", cancellationToken);
        second.Log.Calls.Should().BeEmpty();
        (await OurLeaseAsync(cancellationToken)).Spec.HolderIdentity.Should().Be(Identity(first)).And.NotBe(Identity(second));

        await first.StopAsync(cancellationToken);

        // The lease would run out after 40 s only: the second leads because it was handed on.
        await second.Log.NextAsync("reconcile", "a", cancellationToken);
        (await OurLeaseAsync(cancellationToken)).Spec.HolderIdentity.Should().Be(Identity(second));
        await second.StopAsync(cancellationToken);
        (await OurLeaseAsync(cancellationToken)).Spec.HolderIdentity.Should().BeNullOrEmpty();
    }

    [Test, CancelAfter(Limit)]
    public async Task With_our_election_a_broken_connection_does_not_cost_the_leadership(CancellationToken cancellationToken)
    {
        var faults = Plane.RequireFaults();
        var running = await StartOursAsync(cancellationToken);
        var lost = 0;
        running.Services.GetRequiredService<LeaderElector>().OnStoppedLeading += () => lost++;
        await running.WaitUntilCaughtUpAsync(Plane, Namespace, cancellationToken);

        using (var cut = faults.Add(new FaultRule { Resource = "leases", CutConnection = true, Times = 2 }))
            while (cut.Hits < 2) await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, cancellationToken);
        var renewed = (await OurLeaseAsync(cancellationToken)).Spec.RenewTime;
        while ((await OurLeaseAsync(cancellationToken)).Spec.RenewTime == renewed) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken);

        lost.Should().Be(0);
    }

    private static string Identity(WidgetOperator running) => running.Services.GetRequiredService<LeaseElectorFactory>().Identity;

    private static void Elected(OperatorSettingsBuilder settings) => settings.WithLeaderElection(LeaderElectionType.Single);

    private Task<WidgetOperator> StartOursAsync(CancellationToken cancellationToken) => StartAsync(
        cancellationToken,
        settings => settings
            .WithName(Namespace)
            .WithLeaderElection(LeaderElectionType.Single)
            .WithLeaderElectionTimings(TimeSpan.FromSeconds(40), TimeSpan.FromSeconds(30), TimeSpan.FromMilliseconds(100)),
        before: services => services.AddLeaseElection());

    private Task<V1Lease> OurLeaseAsync(CancellationToken cancellationToken) =>
        Plane.Admin.CoordinationV1.ReadNamespacedLeaseAsync(Namespace + "-leader", "default", cancellationToken: cancellationToken);

    // An identity per instance: both live in one process here.
    private void Stand(IServiceCollection services, string identity) => services.AddSingleton<ILeaderElectorFactory>(new Candidate(Plane.Configuration, Namespace, identity));

    private sealed class Candidate(KubernetesClientConfiguration configuration, string @namespace, string identity) : ILeaderElectorFactory
    {
        public LeaderElector CreateElector() => new(new LeaderElectionConfig(new LeaseLock(new Kubernetes(configuration), @namespace, "widgets", identity))
        {
            LeaseDuration = TimeSpan.FromSeconds(8),
            RenewDeadline = TimeSpan.FromSeconds(6),
            RetryPeriod = TimeSpan.FromMilliseconds(200),
        });
    }
}
