using k8s;
using k8s.LeaderElection;
using k8s.LeaderElection.ResourceLock;
using KubeOps.Abstractions.Builder;
using KubeOps.Operator.LeaderElection;
using Microsoft.Extensions.DependencyInjection;
using Ome.LocalCluster.Faults;
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

    private static void Elected(OperatorSettingsBuilder settings) => settings.WithLeaderElection(LeaderElectionType.Single);

    // An identity per instance: both live in one process here.
    private void Stand(IServiceCollection services, string identity) => services.AddSingleton<ILeaderElectorFactory>(new Candidate(Plane.Configuration, Namespace, identity));

    private sealed class Candidate(KubernetesClientConfiguration configuration, string @namespace, string identity) : ILeaderElectorFactory
    {
        public LeaderElector CreateElector() => new(new LeaderElectionConfig(new LeaseLock(new Kubernetes(configuration), @namespace, "widgets", identity))
        {
            LeaseDuration = TimeSpan.FromSeconds(2),
            RenewDeadline = TimeSpan.FromSeconds(1),
            RetryPeriod = TimeSpan.FromMilliseconds(200),
        });
    }
}
