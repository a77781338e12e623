using Ome.Agent.Staging;
using Ome.Agent.Staging.Oci;
using Ome.LocalCluster.Fakes;
using Ome.Tests.Contracts;

namespace Ome.Tests.Agent.Staging.Oci;

/// <summary>Every way to be somebody, against a store that checks the signatures (contract 5.3).</summary>
public sealed class OciAuthenticationTests
{
    private const string Uri = "oci://models/m";

    [Test, CancelAfter(120_000)]
    public async Task A_user_signs_with_the_key_of_the_configuration_file(CancellationToken token)
    {
        await using var bed = await StartAsync(token);

        await OciSourceTests.ListAsync(bed, OciBed.Request(Uri), token);

        bed.Store.Callers.Refused.Should().BeEmpty();
        bed.Store.Callers.Accepted.Should().NotBeEmpty().And.AllSatisfy(request => request.Headers.Should().Equal("date", "(request-target)", "host"));
    }

    [Test, CancelAfter(120_000)]
    public async Task A_user_with_a_session_token_signs_with_it(CancellationToken token)
    {
        await using var bed = await StartAsync(token);
        using var key = System.Security.Cryptography.RSA.Create(2048);
        var session = bed.Store.Callers.Issue(PrivateKeys.PublicKeyText(key));
        await File.WriteAllTextAsync(bed.Directory["session.pem"], key.ExportRSAPrivateKeyPem(), token);
        await File.WriteAllTextAsync(bed.Directory["session"], session + "\n", token);
        await File.WriteAllTextAsync(bed.Directory["config"], "[models]\nkey_file=session.pem\nsecurity_token_file=session\n", token);
        bed.Options.UseSessionToken = true;

        await OciSourceTests.ListAsync(bed, OciBed.Request(Uri), token);

        bed.Store.Callers.Refused.Should().BeEmpty();
    }

    [TestCase(null, "OCI_CONFIG_PATH")]
    [TestCase("[other]\nuser=x\n", "[models]")]
    [TestCase("[models]\nuser=x\n", "key_file")]
    [TestCase("[models]\nkey_file=missing.pem\n", "missing.pem")]
    [TestCase("[models]\nkey_file=config\n", "no RSA key")]
    [TestCase("[models]\nkey_file=key.pem\npass_phrase=wrong\n", "pass_phrase opens")]
    [TestCase("[models]\nkey_file=key.pem\npass_phrase=planted-secret-4711\ntenancy=t\nuser=u\n", "fingerprint")]
    [CancelAfter(120_000)]
    public async Task A_bad_configuration_file_is_named_with_what_is_wrong(string? text, string says, CancellationToken token)
    {
        await using var bed = await StartAsync(token);
        if (text is null) File.Delete(bed.Directory["config"]);
        else await File.WriteAllTextAsync(bed.Directory["config"], text, token);

        var failure = await OciSourceTests.FailAsync(bed, OciBed.Request(Uri), token);

        failure.Reason.Should().Be(StagingFailureReason.Unauthorized);
        failure.Message.Should().Contain(says).And.NotContain(ArtifactSourceBed.PlantedSecret);
    }

    [Test, CancelAfter(120_000)]
    public async Task A_key_the_service_does_not_know_is_unauthorized(CancellationToken token)
    {
        await using var bed = await StartAsync(token);
        var config = (await File.ReadAllLinesAsync(bed.Directory["config"], token)).Select(line => line.Replace("20:3b", "00:00", StringComparison.Ordinal));
        await File.WriteAllLinesAsync(bed.Directory["config"], config, token);

        var failure = await OciSourceTests.FailAsync(bed, OciBed.Request(Uri), token);

        failure.Reason.Should().Be(StagingFailureReason.Unauthorized);
        bed.Store.Callers.Refused.Should().ContainSingle().Which.Should().EndWith("unknown key");
    }

    [Test, CancelAfter(120_000)]
    public async Task An_instance_exchanges_its_certificate_for_a_token_and_keeps_it(CancellationToken token)
    {
        await using var bed = await StartAsync(token);
        bed.Store.Callers.Instance = new InstanceIdentity("ocid1.tenancy.fake", bed.Time.GetUtcNow());

        await OciSourceTests.ListAsync(bed, OciBed.Request(Uri, auth: null), token);
        await OciSourceTests.ListAsync(bed, OciBed.Request(Uri, auth: "InstancePrincipal"), token);

        bed.Store.Callers.Refused.Should().BeEmpty();
        bed.Store.Callers.TokensIssued.Should().Be(1);
    }

    [Test, CancelAfter(120_000)]
    public async Task A_token_is_renewed_before_it_ends(CancellationToken token)
    {
        await using var bed = await StartAsync(token);
        bed.Store.Callers.Instance = new InstanceIdentity("ocid1.tenancy.fake", bed.Time.GetUtcNow());
        await OciSourceTests.ListAsync(bed, OciBed.Request(Uri, auth: null), token);

        bed.Time.Advance(bed.Store.Callers.TokenLife - TimeSpan.FromMinutes(4));
        await OciSourceTests.ListAsync(bed, OciBed.Request(Uri, auth: null), token);

        bed.Store.Callers.TokensIssued.Should().Be(2);
    }

    [Test, CancelAfter(120_000)]
    public async Task A_token_taken_back_early_is_replaced_at_the_next_request(CancellationToken token)
    {
        await using var bed = await StartAsync(token);
        bed.Store.Callers.Instance = new InstanceIdentity("ocid1.tenancy.fake", bed.Time.GetUtcNow());
        await OciSourceTests.ListAsync(bed, OciBed.Request(Uri, auth: null), token);
        bed.Store.Callers.ForgetTokens();

        (await OciSourceTests.FailAsync(bed, OciBed.Request(Uri, auth: null), token)).Reason.Should().Be(StagingFailureReason.Unauthorized);
        await OciSourceTests.ListAsync(bed, OciBed.Request(Uri, auth: null), token);
    }

    [Test, CancelAfter(120_000)]
    public async Task Many_callers_share_one_exchange(CancellationToken token)
    {
        await using var bed = await StartAsync(token);
        bed.Store.Callers.Instance = new InstanceIdentity("ocid1.tenancy.fake", bed.Time.GetUtcNow());

        await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => OciSourceTests.ListAsync(bed, OciBed.Request(Uri, auth: null), token)));

        bed.Store.Callers.TokensIssued.Should().Be(1);
    }

    [Test, CancelAfter(120_000)]
    public async Task Outside_oci_an_instance_principal_says_so(CancellationToken token)
    {
        await using var bed = await StartAsync(token);

        var failure = await OciSourceTests.FailAsync(bed, OciBed.Request(Uri, auth: null), token);

        failure.Reason.Should().Be(StagingFailureReason.SourceUnavailable);
        failure.Message.Should().Contain("metadata service");
    }

    [Test, CancelAfter(120_000)]
    public async Task A_resource_signs_with_the_token_and_key_it_is_given(CancellationToken token)
    {
        await using var bed = await StartAsync(token);
        using var key = System.Security.Cryptography.RSA.Create(2048);
        await File.WriteAllTextAsync(bed.Directory["rpst"], bed.Store.Callers.Issue(PrivateKeys.PublicKeyText(key)), token);
        bed.Options.ResourceVersion = "2.2";
        bed.Options.ResourceToken = bed.Directory["rpst"];
        bed.Options.ResourceKey = Secret.From(key.ExportPkcs8PrivateKeyPem());

        await OciSourceTests.ListAsync(bed, OciBed.Request(Uri, "ResourcePrincipal"), token);

        bed.Store.Callers.Refused.Should().BeEmpty();
    }

    [Test, CancelAfter(120_000)]
    public async Task An_older_resource_principal_is_refused_with_the_version_that_is_served(CancellationToken token)
    {
        await using var bed = await StartAsync(token);
        bed.Options.ResourceVersion = "1.1";

        (await OciSourceTests.FailAsync(bed, OciBed.Request(Uri, "ResourcePrincipal"), token)).Message.Should().Contain("'1.1'").And.Contain("2.2");
    }

    [Test, CancelAfter(120_000)]
    public async Task A_workload_exchanges_its_service_account_token(CancellationToken token)
    {
        await using var bed = await StartAsync(token);
        bed.Store.Callers.ServiceAccountToken = "service-account-token";
        await File.WriteAllTextAsync(bed.Options.ServiceAccountTokenPath, "service-account-token\n", token);

        await OciSourceTests.ListAsync(bed, OciBed.Request(Uri, "OkeWorkloadIdentity"), token);

        bed.Store.Callers.Refused.Should().BeEmpty();
        bed.Store.Callers.TokensIssued.Should().Be(1);
    }

    [Test, CancelAfter(120_000)]
    public async Task A_workload_without_a_token_says_which_file(CancellationToken token)
    {
        await using var bed = await StartAsync(token);

        (await OciSourceTests.FailAsync(bed, OciBed.Request(Uri, "OkeWorkloadIdentity"), token)).Message.Should().Contain(bed.Options.ServiceAccountTokenPath);
    }

    [Test, CancelAfter(120_000)]
    public async Task A_pre_authenticated_request_reads_without_a_signature(CancellationToken token)
    {
        await using var bed = await StartAsync(token);
        bed.Store.PreAuthenticatedToken = ArtifactSourceBed.PlantedSecret;
        bed.Secrets[$"{bed.Options.AgentNamespace}/par/url"] = $"{bed.Store.Endpoint}/p/{ArtifactSourceBed.PlantedSecret}/n/fake-namespace/b/models/o/";
        var request = OciBed.Request("oci://n/fake-namespace/b/models/o/m", "PreAuthenticatedRequest", "par");

        var listing = await OciSourceTests.ListAsync(bed, request, token);
        var opened = await bed.Source.OpenAsync(request, listing, listing.Files[0], 1, 1, token);

        await using var body = opened.Should().BeOfType<OpenResult.Opened>().Which.Body;
        var buffer = new byte[1];
        await body.ReadExactlyAsync(buffer, token);
        buffer[0].Should().Be(2);
    }

    [TestCase(null, "put its address")]
    [TestCase("https://example.org/not-one", "is no pre-authenticated request")]
    [CancelAfter(120_000)]
    public async Task A_missing_or_wrong_pre_authenticated_request_is_named_and_not_shown(string? url, string says, CancellationToken token)
    {
        await using var bed = await StartAsync(token);
        if (url is not null) bed.Secrets[$"{bed.Options.AgentNamespace}/par/url"] = url;

        var failure = await OciSourceTests.FailAsync(bed, OciBed.Request(Uri, "PreAuthenticatedRequest", "par"), token);

        failure.Reason.Should().Be(StagingFailureReason.Unauthorized);
        failure.Message.Should().Contain(says).And.NotContain("example.org");
    }

    [Test]
    public void The_environment_sets_what_upstream_reads()
    {
        var options = new OciOptions();
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["OCI_CONFIG_PATH"] = "/c",
            ["PROFILE"] = "p",
            ["USE_SESSION_TOKEN"] = "true",
            ["OCI_REGION"] = "r",
            ["OCI_SDK_AUTH_CLIENT_REGION_URL"] = "https://a",
            ["OCI_RESOURCE_PRINCIPAL_VERSION"] = "2.2",
            ["OCI_RESOURCE_PRINCIPAL_RPST"] = "/t",
            ["OCI_RESOURCE_PRINCIPAL_REGION"] = "iad",
            ["KUBERNETES_SERVICE_HOST"] = "10.0.0.1",
        };

        OciOptions.ReadEnvironment(options, environment.GetValueOrDefault);

        options.Should().BeEquivalentTo(new
        {
            ConfigPath = "/c",
            Profile = "p",
            UseSessionToken = true,
            Region = "r",
            AuthEndpoint = "https://a",
            ResourceVersion = "2.2",
            ResourceToken = "/t",
            ResourceRegion = "iad",
            WorkloadTokenEndpoint = "https://10.0.0.1:12250/resourcePrincipalSessionTokens",
        });
    }

    [TestCase("iad", "https://objectstorage.us-ashburn-1.oraclecloud.com/")]
    [TestCase("eu-frankfurt-1", "https://objectstorage.eu-frankfurt-1.oraclecloud.com/")]
    [TestCase("us-gov-ashburn-1", "https://objectstorage.us-gov-ashburn-1.oraclegovcloud.com/")]
    [TestCase("uk-gov-london-1", "https://objectstorage.uk-gov-london-1.oraclegovcloud.uk/")]
    public void Region(string region, string endpoint) => OciRegion.EndpointOf("objectstorage", OciRegion.Named(region), null).ToString().Should().Be(endpoint);

    private static async Task<OciBed> StartAsync(CancellationToken token)
    {
        var bed = await OciBed.StartAsync(token);
        bed.Store.RequiresCredentials = true;
        bed.Store.Put("models", "m/a", [1, 2, 3]);
        return bed;
    }
}
