using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests;

/// <summary>Stops the shared control plane after the last test.</summary>
[SetUpFixture]
public sealed class ControlPlaneTeardown
{
    [OneTimeTearDown]
    public Task StopAsync() => ControlPlanes.StopSharedAsync();
}
