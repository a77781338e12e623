using Ome.Agent.Verification;

namespace Ome.Tests.Agent.Verification;

public sealed class ShutdownMarkerTests
{
    [Test]
    public void Only_a_run_that_did_not_end_in_order_is_unclean()
    {
        var directory = Directory.CreateTempSubdirectory("ome-marker-").FullName;
        try
        {
            var first = new ShutdownMarker(directory);
            first.WasUnclean.Should().BeFalse();
            new ShutdownMarker(directory).WasUnclean.Should().BeTrue();
            first.End();
            new ShutdownMarker(directory).WasUnclean.Should().BeFalse();
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
