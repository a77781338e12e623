using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Ome.Agent.Staging;
using Ome.Agent.Staging.Oci;
using Ome.Agent.Staging.S3;
using Ome.LocalCluster.Fakes;
using Ome.Tests.Agent.Staging.Oci;
using Ome.Tests.Contracts;
using Ome.Tests.Support;

namespace Ome.Tests.Agent.Staging;

/// <summary>Plants a key, its pass phrase, a pre-authenticated address and an S3 key, lets the stores fail in every way, and looks for them in all that came out.</summary>
public sealed class StoreSecretsTests
{
    private const string Planted = ArtifactSourceBed.PlantedSecret;
    private const string Fingerprint = "20:3b:97:13:55:1c:5b:0d:d3:37:d8:50:4e:c5:3a:34";

    [TestCase("oci://models/m", "UserPrincipal")]
    [TestCase("oci://models/m", "PreAuthenticatedRequest")]
    [TestCase("oci://models/m", "InstancePrincipal")]
    [TestCase("s3://models/m", null)]
    [CancelAfter(180_000)]
    public async Task No_key_signature_or_address_that_is_a_credential_is_in_anything_emitted(string uri, string? auth, CancellationToken token)
    {
        using var directory = new TempDirectory();
        using var key = RSA.Create(2048);
        var pem = key.ExportEncryptedPkcs8PrivateKeyPem(Planted, new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000));
        await using var store = await FakeObjectStore.StartAsync(cancellationToken: token);
        await File.WriteAllTextAsync(directory["key.pem"], pem, token);
        await File.WriteAllTextAsync(directory["config"], $"[DEFAULT]\ntenancy=t\nregion=us-ashburn-1\nuser=u\nfingerprint={Fingerprint}\nkey_file=key.pem\npass_phrase={Planted}\n", token);
        store.RequiresCredentials = true;
        store.PreAuthenticatedToken = Planted + "-address";
        store.AccessKeys.Add("AKIDFAKE");
        store.Callers.Know($"t/u/{Fingerprint}", key);
        store.Callers.Instance = new InstanceIdentity("ocid1.tenancy.fake", TimeProvider.System.GetUtcNow());
        var secrets = new MemorySecrets
        {
            ["ome/planted/url"] = $"{store.Endpoint}/p/{store.PreAuthenticatedToken}/n/{store.Namespace}/b/models/o/",
            ["ome/planted/accessKeyId"] = "AKIDFAKE",
            ["ome/planted/secretAccessKey"] = Planted,
        };
        await using var bed = await StagingBed.StartAsync(services => Configure(services, store, directory["config"], secrets), token);
        bed.Options.FruitlessReconnects = 1;
        store.Put("models", "m/model.safetensors", RandomNumberGenerator.GetBytes(100_000));
        // Of letters without '$': it is searched too, and "ST$" is in random bytes by chance once in forty runs.
        store.Put("models", "m/config.json", Encoding.ASCII.GetBytes(Convert.ToBase64String(RandomNumberGenerator.GetBytes(75_000))));
        HubFault[] troubles =
        [
            new(HubFaultKind.Status, Times: 50, Status: 500),
            new(HubFaultKind.Status, Times: 50, Status: 429, RetryAfterSeconds: 600),
            new(HubFaultKind.Status, Times: 50, Status: 401),
            new(HubFaultKind.Status, HubFaultScope.Body, Times: 50, Status: 403),
            new(HubFaultKind.Status, HubFaultScope.Body, Times: 50, Status: 404),
            new(HubFaultKind.Cut, HubFaultScope.Body, Times: 50),
            new(HubFaultKind.WrongBytes, HubFaultScope.Body, Times: 50, AfterBytes: 4),
        ];
        var said = new List<string>();
        foreach (var trouble in troubles)
        {
            store.Faults.Add(trouble);
            said.Add((await bed.Stager.StageAsync(Request(bed, uri, auth), null, token)).Should().BeOfType<StagingResult.Failed>(trouble.ToString()).Which.ToString());
            store.Faults.Clear();
        }

        said.Add((await bed.Stager.StageAsync(Request(bed, uri, auth), null, token)).Should().BeOfType<StagingResult.Staged>().Which.ToString());
        await store.DisposeAsync();
        said.Add((await bed.Stager.StageAsync(Request(bed, uri + "/other", auth), null, token)).ToString());
        said.Add(Request(bed, uri, auth).ToString());
        said.AddRange(bed.Logs.Lines);
        said.AddRange(TestFiles.Tree(bed.Root).Where(file => !file.Key.EndsWith(".safetensors", StringComparison.Ordinal)).Select(file => file.Key + Encoding.UTF8.GetString(file.Value)));

        said.Should().HaveCountGreaterThan(20);
        string[] planted = [Planted, "ST$", "Signature version", "X-Amz-", .. store.Callers.Accepted.Select(request => request.Signature), pem.Split('\n')[5]];
        foreach (var secret in planted) said.Should().NotContain(text => text.Contains(secret, StringComparison.OrdinalIgnoreCase), secret);
        if (auth is "UserPrincipal" or "InstancePrincipal") store.Callers.Accepted.Should().NotBeEmpty();
    }

    private static void Configure(IServiceCollection services, FakeObjectStore store, string config, MemorySecrets secrets)
    {
        services.AddOciSource();
        services.AddS3Source();
        services.AddSingleton<ISecretReader>(secrets);
        services.AddSingleton(new S3Options { Endpoint = store.S3Endpoint, Retries = 1, AnswerTimeout = TimeSpan.FromSeconds(5) });
        services.AddSingleton(new OciOptions
        {
            Endpoint = store.Endpoint,
            MetadataEndpoint = store.Endpoint + "/opc/v2/",
            AuthEndpoint = store.Endpoint,
            ConfigPath = config,
            Retries = 1,
            RetryDelay = TimeSpan.FromMilliseconds(5),
            AnswerTimeout = TimeSpan.FromSeconds(5),
        });
    }

    private static StagingRequest Request(StagingBed bed, string text, string? auth)
    {
        var request = OciBed.Request(text, auth, secret: "planted");
        return new StagingRequest(request.Model, request.Uri, bed.Destination("m"));
    }
}
