using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.KubeOpsApi.Support;

/// <summary>A control plane per class, with widgets; a namespace and at most a few operators per test.</summary>
public abstract class WidgetFixture
{
    /// <summary>How long a test may take, ms.</summary>
    protected const int Limit = 120_000;

    private readonly List<WidgetOperator> _operators = [];

    protected ITestControlPlane Plane { get; private set; } = null!;

    protected string Namespace { get; private set; } = null!;

    [OneTimeSetUp]
    public async Task StartPlaneAsync()
    {
        using var patience = new CancellationTokenSource(Limit);
        Plane = await ControlPlanes.StartAsync(patience.Token);
        await Plane.InstallWidgetsAsync(patience.Token);
    }

    [SetUp]
    public async Task CreateNamespaceAsync()
    {
        using var patience = new CancellationTokenSource(Limit);
        Namespace = await Plane.CreateNamespaceAsync(patience.Token);
    }

    [TearDown]
    public async Task StopOperatorsAsync()
    {
        Plane.Faults?.Clear();
        foreach (var running in _operators) await running.DisposeAsync();
        _operators.Clear();
    }

    [OneTimeTearDown]
    public async Task StopPlaneAsync() => await Plane.DisposeAsync();

    /// <summary>Starts an operator that ends with the test; the arguments are those of <see cref="WidgetOperator.StartAsync"/>.</summary>
    protected async Task<WidgetOperator> StartAsync(
        CancellationToken cancellationToken,
        Action<KubeOps.Abstractions.Builder.OperatorSettingsBuilder>? settings = null,
        Action<KubeOps.Abstractions.Builder.IOperatorBuilder>? register = null,
        Action<Microsoft.Extensions.DependencyInjection.IServiceCollection>? before = null,
        WidgetLog? log = null)
    {
        var running = await WidgetOperator.StartAsync(Plane, Namespace, settings, register, before, log, cancellationToken);
        _operators.Add(running);
        return running;
    }
}
