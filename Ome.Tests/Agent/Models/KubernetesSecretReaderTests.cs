using Microsoft.Extensions.Logging.Abstractions;
using Ome.Agent.Models;
using Ome.LocalCluster.Faults;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Models;

public sealed class KubernetesSecretReaderTests
{
    [TestCase(false)]
    [TestCase(true)]
    [CancelAfter(180_000)]
    public async Task A_secret_that_cannot_be_asked_for_now_is_not_one_that_does_not_exist(bool cut, CancellationToken token)
    {
        await using var plane = await ControlPlanes.StartAsync(token);
        var reader = new KubernetesSecretReader(plane.Admin, NullLogger<KubernetesSecretReader>.Instance);
        (await reader.ReadAsync("default", "absent", "token", token)).Should().BeNull();

        using var trouble = plane.RequireFaults().Add(cut
            ? new FaultRule { Verb = "get", Resource = "secrets", CutConnection = true }
            : new FaultRule { Verb = "get", Resource = "secrets", Code = 503 });

        await reader.Invoking(one => one.ReadAsync("default", "absent", "token", token)).Should().ThrowAsync<HttpRequestException>().WithMessage("Secret default/absent: the API server*");
    }
}
